use crate::findings::{Cause, Finding, Need, Observed, Weight, unread};
use crate::kubernetes::version;

/// The API server is away, slow, says something else, or is of a version that this program was not made for.
pub static CAUSE: Cause = Cause {
    id: "KC005",
    slug: "api-server",
    title: "The API server does not answer as it should",
    text: include_str!("api_server.md"),
    explains: &[],
    needs: &[Need::Version],
    mend: None,
    judge: |observed| {
        let failed = unread::failed(observed).into_iter().map(|(object, why)| Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: "",
            object,
            says: format!("unknown: {why}"),
            hint: observed.by_hand.check_server(),
        });
        failed.chain(other_version(observed)).collect()
    },
};

/// A server for which this program was not made. It may work all the same.
fn other_version(observed: &Observed) -> Option<Finding> {
    let says = version::made_for(observed.details.server.present()?).err()?;
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Warning,
        app: "",
        object: "API server".to_owned(),
        says: format!("may answer otherwise than expected: {says}"),
        hint: observed.by_hand.kubectl_of_cluster("version").to("see both versions"),
    })
}
