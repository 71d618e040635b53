use k8s_openapi::api::core::v1::Pod;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::text::{Command, Hint};

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
    needs: &[Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (reason, message) = pods::waiting(pod, app)?;
            if !["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"].contains(&reason) {
                return None;
            }
            let why = Why::of(reason, message).or(Why::of(reason, answer(observed, pod)));
            let words = why.map(|why| format!(": {}", why.words())).unwrap_or_default();
            let image = pods::image(pod, app);
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
            // Who named the image by kubectl has the field: `deploy` alone leaves it to them.
            let another = pods::another_image(observed, pod, app, &["--force-conflicts"]);
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: format!("cannot pull its image {image} ({reason}){words}: {message}"),
                hint: hint(app, image, why, node, another),
            })
        });
        failing.collect()
    },
};

/// The registry's answer. While the kubelet pauses, older ones say it in the pod's events alone.
fn answer<'a>(observed: &Observed<'a>, pod: &Pod) -> &'a str {
    let event = observed.details.newest(pod, &["Failed"]).filter(|event| event.message.contains("ull image"));
    event.map(|event| event.message.as_str()).unwrap_or_default()
}

/// Why an image cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// What the image is called is no name.
    Name,
    /// The pod forbids to pull, and the node does not have it.
    Never,
    /// The registry has answered too often.
    Rate,
    /// The registry does not have it.
    Missing,
    /// The registry wants to know who asks.
    Permission,
    /// The registry says the same of an image that is not there and of one that is for others.
    MissingOrPermission,
    /// The registry's name does not resolve.
    Unresolved,
    /// The registry does not answer.
    Unreachable,
}

/// What container runtimes and registries say, the more exact words first.
const SAID: [(Why, &[&str]); 6] = [
    (Why::Rate, &["toomanyrequests", "429 Too Many Requests", "rate limit"]),
    (Why::Unresolved, &["no such host", "server misbehaving", "Temporary failure in name resolution"]),
    (
        Why::Unreachable,
        &[
            "connection refused",
            "i/o timeout",
            "TLS handshake timeout",
            "no route to host",
            "network is unreachable",
            "context deadline exceeded",
            "server gave HTTP response to HTTPS client",
            "x509: ",
        ],
    ),
    (Why::MissingOrPermission, &["repository does not exist or may require"]),
    (Why::Permission, &["401 Unauthorized", "403 Forbidden", "unauthorized", "denied", "no basic auth credentials"]),
    (Why::Missing, &["not found", "404 Not Found", "manifest unknown", "no such manifest", "name unknown"]),
];

impl Why {
    /// By the kubelet's word for it, and by what it was answered.
    fn of(reason: &str, message: &str) -> Option<Self> {
        match reason {
            "InvalidImageName" => Some(Self::Name),
            "ErrImageNeverPull" => Some(Self::Never),
            _ => SAID.into_iter().find(|(_, said)| said.iter().any(|it| message.contains(it))).map(|(why, _)| why),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Name => "this is not the name of an image",
            Self::Never => "its imagePullPolicy is Never, and its node does not have the image",
            Self::Rate => "the registry refuses more pulls for now (rate limit)",
            Self::Missing => "the registry does not have this image or tag",
            Self::Permission => "the registry does not permit it",
            Self::MissingOrPermission => "the registry does not have it, or does not permit it",
            Self::Unresolved => "the name of the registry does not resolve",
            Self::Unreachable => "the node does not reach the registry",
        }
    }

    /// Whether an image that is loaded into the node by hand is of use.
    fn is_mended_by_loading(self) -> bool {
        !matches!(self, Self::Name)
    }
}

/// The exchange's own images can be brought to a cluster that cannot have them from a registry, and others too where it is
/// known how.
fn hint(app: &str, image: &str, why: Option<Why>, node: &str, another: Command) -> Hint {
    let another = another.to("or name another image");
    if image.contains(&format!("/kubecoin-{app}:")) {
        let into = tool(node).unwrap_or("minikube (or kind, k3d)");
        let load = format!("in a clone of the project, run cargo xtask images --into {into}");
        return Hint::from(load).and(another);
    }
    let first = match why {
        Some(Why::Rate) => "wait, the kubelet tries again by itself",
        Some(Why::Permission) => "give the pod an imagePullSecret",
        Some(Why::Unresolved | Why::Unreachable) => "check the network of the node",
        Some(Why::Never) => "load the image into the node",
        Some(Why::Name | Why::Missing | Why::MissingOrPermission) | None => "correct the name",
    };
    let first = Hint::from(first);
    match tool(node).filter(|_| why.is_some_and(Why::is_mended_by_loading)) {
        Some(tool) if why != Some(Why::Never) => first.and(format!("or load the image into {tool}")).and(another),
        _ => first.and(another),
    }
}

/// What made the cluster of a node, if the node's name tells.
fn tool(node: &str) -> Option<&'static str> {
    let is_kind = || {
        let roles = ["-control-plane", "-worker"];
        let name = node.trim_end_matches(|it: char| it.is_ascii_digit());
        node.starts_with("kind-") && roles.iter().any(|role| name.ends_with(role))
    };
    match node {
        _ if node == "minikube" || node.starts_with("minikube-m") => Some("minikube"),
        _ if node.starts_with("k3d-") => Some("k3d"),
        _ if is_kind() => Some("kind"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn another() -> Command {
        Command::new(["kubectl", "another"])
    }

    #[test]
    fn the_projects_own_images_can_be_loaded_and_others_only_named() {
        let own = |node| hint("backend", "ghcr.io/kubecoin/kubecoin-backend:0.1.0", None, node, another()).to_string();
        assert!(own("node-1").contains("cargo xtask images --into minikube (or kind, k3d)"));
        for (node, tool) in [("minikube", "minikube;"), ("kind-worker2", "kind;"), ("k3d-lab-server-0", "k3d;")] {
            assert!(own(node).contains(&format!("--into {tool}")), "{node}");
        }
        for other in ["docker.io/library/postgres:17", "ghcr.io/kubecoin/backend:0.1.0"] {
            let other = hint("backend", other, None, "kind-worker", another()).to_string();
            assert!(!other.contains("xtask") && other.ends_with("kubectl another"), "{other}");
        }
        let missing = |node| hint("postgres", "postgres:17x", Some(Why::Missing), node, another()).to_string();
        assert!(missing("minikube").contains("or load the image into minikube"));
        assert!(!missing("prod-control-plane").contains("load the image"));
    }

    #[test]
    fn what_registries_answer_is_told_apart() {
        for (message, why) in [
            (
                r#"failed to resolve reference "docker.io/library/postgres:17x": docker.io/library/postgres:17x: not found"#,
                Why::Missing,
            ),
            ("manifest for postgres:17x not found: manifest unknown", Why::Missing),
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                Why::MissingOrPermission,
            ),
            ("pull access denied, repository does not exist or may require authorization", Why::MissingOrPermission),
            ("failed to authorize: failed to fetch anonymous token: 401 Unauthorized", Why::Permission),
            ("unexpected status from HEAD request to https://ghcr.io/v2/x: 403 Forbidden", Why::Permission),
            ("toomanyrequests: You have reached your unauthenticated pull rate limit", Why::Rate),
            ("httpReadSeeker: failed open: unexpected status code https://x: 429 Too Many Requests", Why::Rate),
            ("dial tcp: lookup registry.example: no such host", Why::Unresolved),
            ("dial tcp 10.0.0.9:5000: connect: connection refused", Why::Unreachable),
            ("dial tcp 10.0.0.9:443: i/o timeout", Why::Unreachable),
            ("tls: failed to verify certificate: x509: certificate signed by unknown authority", Why::Unreachable),
        ] {
            assert_eq!(Why::of("ErrImagePull", message), Some(why), "{message}");
        }
        assert_eq!(Why::of("ErrImageNeverPull", "Container image is not present"), Some(Why::Never));
        assert_eq!(Why::of("InvalidImageName", "couldn't parse image name"), Some(Why::Name));
        assert_eq!(Why::of("ImagePullBackOff", "Back-off pulling image \"postgres:17x\""), None);
    }
}
