use crate::exchange::names;
use crate::findings::{Cause, Finding, Observed, Weight};
use crate::observe::{Reading, container, readiness};

/// The page and the backend are of different releases.
pub static CAUSE: Cause = Cause {
    id: "KC045",
    slug: "images-differ",
    title: "The page and the backend are of different versions",
    text: include_str!("images_differ.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let [backend, page] = names::DEPLOYMENTS.map(|app| release(observed, app));
        let (Some(backend), Some(page)) = (backend, page) else { return vec![] };
        if backend == page {
            return vec![];
        }
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Info,
            app: names::FRONTEND,
            object: format!("deployment/{}", names::FRONTEND),
            says: format!("is of version {page}, but the backend is of version {backend}"),
            hint: observed.by_hand.own("deploy --force-conflicts").to("deploy both in the version of this plugin"),
        }]
    },
};

/// The release that a Deployment's image is of: by its tag, if it is one of the project's own, and no rollout goes on.
fn release<'a>(observed: &Observed<'a>, app: &str) -> Option<&'a str> {
    let deployment = observed.snapshot.deployments.get(app).and_then(Reading::present)?;
    let spec = deployment.spec.as_ref().filter(|_| readiness::deployment(deployment))?;
    let image = container::image(spec.template.spec.as_ref()?, app)?;
    let (name, tag) = image.rsplit('/').next()?.split_once(':')?;
    // Somebody's own build is of no release, and a digest says nothing of one.
    let is_release = tag.starts_with(|it: char| it.is_ascii_digit()) && !tag.contains('@');
    (is_release && name == format!("kubecoin-{app}")).then_some(tag)
}
