use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::Reading;
use crate::observe::path::Path;

/// The page is served, but the calls behind it are not.
pub static CAUSE: Cause = Cause {
    id: "KC082",
    slug: "backend-unreachable",
    title: "The page reaches no backend",
    text: include_str!("backend_unreachable.md"),
    explains: &[],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        let says = match &observed.details.path {
            Reading::Present(Path::NoBackend) => "serves the page, but no backend answers behind it".to_owned(),
            Reading::Present(Path::Other(what)) => {
                format!("leads to something else than this exchange's backend: {what}")
            }
            _ => return vec![],
        };
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: "",
            object: format!("service/{}", names::FRONTEND_SERVICE),
            says,
            hint: (observed.by_hand.own("deploy --force-conflicts").to("restore the exchange"))
                .and(observed.by_hand.kubectl(["logs", "deployment/frontend"]).to("read the page's log")),
        }]
    },
};
