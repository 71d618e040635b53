use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::Reading;
use crate::observe::path::Path;

/// The page does not answer, neither by its Service nor in its pod.
pub static CAUSE: Cause = Cause {
    id: "KC083",
    slug: "page-unreachable",
    title: "The page is not served",
    text: include_str!("page_unreachable.md"),
    explains: &[],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        let Reading::Present(Path::NoPage(why)) = &observed.details.path else { return vec![] };
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: "",
            object: format!("service/{}", names::FRONTEND_SERVICE),
            says: format!("does not serve the page: {why}"),
            hint: observed
                .by_hand
                .kubectl(["describe", "service", names::FRONTEND_SERVICE])
                .to("see its ports and endpoints"),
        }]
    },
};
