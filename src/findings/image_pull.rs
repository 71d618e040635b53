use super::{Cause, Finding, Weight, pods};

/// An image cannot be had.
pub const CAUSE: Cause = Cause {
    code: "image-pull",
    hides: &["starting", "not-ready"],
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (reason, message) = pods::waiting(pod)?;
            let failed =
                ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"].contains(&reason);
            failed.then(|| Finding {
                code: CAUSE.code,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: format!("cannot have its image {} ({reason}): {message}", pods::image(pod)),
                hint: format!(
                    "correct the name, or name another: kubectl kubecoin deploy --{app}-image IMAGE -n {}",
                    observed.namespace
                ),
            })
        });
        failing.collect()
    },
};
