use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::findings::{Cause, Finding, Weight, pods};
use crate::kubernetes::ByHand;
use crate::text::Hint;

/// An image cannot be had.
pub static CAUSE: Cause = Cause {
    id: "KC022",
    slug: "image-pull",
    title: "An image cannot be pulled",
    text: include_str!("image_pull.md"),
    explains: &[
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: None,
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (reason, message) = pods::waiting(pod, app)?;
            let failed =
                ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"].contains(&reason);
            failed.then(|| Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: format!("cannot pull its image {} ({reason}): {message}", pods::image(pod, app)),
                hint: hint(app, pods::image(pod, app), observed.by_hand),
            })
        });
        failing.collect()
    },
};

/// The exchange's own images can be brought to a cluster that cannot have them from a registry.
fn hint(app: &str, image: &str, by_hand: &ByHand) -> Hint {
    let another = by_hand.own(["deploy", &format!("--{app}-image"), "IMAGE"]).to("or name another image");
    if image.contains(&format!("/kubecoin-{app}:")) {
        let load = "in a clone of the project, run cargo xtask images --into minikube (or kind, k3d)";
        return Hint::from(load).and(another);
    }
    Hint::from("correct the name").and(another)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_images_can_be_loaded_and_others_only_named() {
        let alice = &ByHand { namespace: Some("alice".to_owned()), given: Vec::new() };
        let own = hint("backend", "ghcr.io/kubecoin/kubecoin-backend:0.1.0", alice);
        assert!(own.to_string().contains("cargo xtask images --into minikube"), "{own}");
        for other in ["docker.io/library/postgres:17", "ghcr.io/kubecoin/backend:0.1.0"] {
            let other = hint("backend", other, alice).to_string();
            assert!(!other.contains("xtask") && other.ends_with("--backend-image IMAGE -n alice"), "{other}");
        }
    }
}
