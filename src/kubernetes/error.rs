//! Why a request was not answered as hoped, and what helps.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::credentials::CredentialsError;
use super::place::Place;
use super::tls::{self, Refusal};
use super::transport::TimedOut;
use crate::text::Hint;

/// What the kubelet says to `exec` and `port-forward` (`pkg/kubelet/server/server.go`) about a pod that it has not heard of, as
/// it has not for a moment after it was restarted. The API server passes that on; of a pod that does not exist, it says so itself,
/// in other words.
const NOT_AT_ITS_NODE: &str = "pod does not exist";

/// A request that failed: what was asked for, where, and why it failed.
#[derive(Debug)]
pub struct RequestError {
    /// What was asked for, as kubectl says it: `get statefulset.apps/postgres`.
    pub(super) asked: String,
    pub(super) place: Arc<Place>,
    /// Why it failed.
    pub cause: Cause,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// 401.
    Unauthorized,
    /// 403, with the server's words.
    Forbidden(String),
    /// 404, with the server's words.
    NotFound(String),
    /// 409, with the server's words, and the managers of the fields that are contested.
    Conflict {
        /// The server's words.
        message: String,
        /// Who owns what is contested. Empty if it is not about fields.
        managers: Vec<String>,
    },
    /// 400 or 422, with the server's words.
    Invalid(String),
    /// A budget of disruptions keeps the pod from being evicted, with the server's words.
    EvictionRefused(String),
    /// 429 or 5xx, with the server's words.
    Unavailable(String),
    /// No answer in time.
    TimedOut(String),
    /// No connection.
    Unreachable(String),
    /// The server's certificate is not to be trusted.
    Certificate(String),
    /// The credentials could not be had, or the server does not take them, and it is known why.
    Credentials(CredentialsError),
    /// An answer that is not one, or that broke off.
    Garbled(String),
    /// The program, or the way to a port, was refused by the pod or its node, with their words.
    NotRun(String),
    /// The connection was lost in the middle: what was asked for may have happened, and may go on.
    Lost(String),
}

impl From<kube::Error> for Cause {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(&status),
            kube::Error::Service(error) => {
                if let Some(timed_out) = error.downcast_ref::<TimedOut>() {
                    Self::TimedOut(timed_out.to_string())
                } else if let Some(error) = error.downcast_ref::<CredentialsError>() {
                    Self::Credentials(error.clone())
                } else {
                    Self::of_connection(error.as_ref())
                }
            }
            error @ kube::Error::HyperError(_) => Self::of_connection(&error),
            kube::Error::SerdeError(error) => Self::Garbled(error.to_string()),
            error => Self::Garbled(chain(&error)),
        }
    }
}

impl Cause {
    fn of_status(status: &kube::core::Status) -> Self {
        let message = status.message.clone();
        match status.code {
            401 => Self::Unauthorized,
            403 => Self::Forbidden(why_forbidden(message)),
            404 if message == NOT_AT_ITS_NODE => Self::NotRun(format!("{message} for the kubelet of its node")),
            404 => Self::NotFound(message),
            409 => Self::Conflict { message, managers: contesting_managers(status) },
            400 | 422 => Self::Invalid(message),
            429 | 500 if is_of_a_budget(status) => Self::EvictionRefused(message),
            code @ (429 | 500..) => Self::Unavailable(format!("{code}: {message}")),
            code => Self::Garbled(format!("unexpected answer {code}: {message}")),
        }
    }

    /// That of a request's error, if this is one.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Option<&Self> {
        error.downcast_ref::<RequestError>().map(|error| &error.cause)
    }

    fn of_connection(error: &(dyn std::error::Error + 'static)) -> Self {
        match tls::refusal(error) {
            Some(Refusal::OfServer(why)) => Self::Certificate(why.to_string()),
            Some(Refusal::OfClient(why)) => {
                Self::Credentials(CredentialsError::new(format!("the server rejected the client certificate: {why}")))
            }
            None => Self::Unreachable(chain(error)),
        }
    }

    /// The same, with the proxy on the way if there was no connection: it may be the one that is away.
    #[must_use]
    pub(super) fn through(self, proxy: Option<&str>) -> Self {
        match (self, proxy) {
            (Self::Unreachable(why), Some(proxy)) => Self::Unreachable(format!("through the proxy {proxy}: {why}")),
            (other, _) => other,
        }
    }

    /// The same, if the certificate that was shown cannot have been taken: why.
    #[must_use]
    pub(super) fn knowing(self, expired: impl FnOnce() -> Option<String>) -> Self {
        match self {
            Self::Unauthorized | Self::Credentials(_) => match expired() {
                Some(why) => Self::Credentials(CredentialsError::new(why)),
                None => self,
            },
            other => other,
        }
    }

    /// Whether the server, or the way to it, is at fault: that may pass, and the same request may be answered later.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TimedOut(_) | Self::Unreachable(_))
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }

    /// Whether the server has answered that it does not do what was asked for.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::Forbidden(_)
                | Self::NotFound(_)
                | Self::Conflict { .. }
                | Self::Invalid(_)
                | Self::EvictionRefused(_)
        )
    }
}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => write!(f, "the server does not accept these credentials"),
            Self::Forbidden(message) => write!(f, "not permitted: {message}"),
            Self::NotFound(message)
            | Self::Conflict { message, .. }
            | Self::Invalid(message)
            | Self::EvictionRefused(message)
            | Self::TimedOut(message) => f.write_str(message),
            Self::Unavailable(message) => write!(f, "the server is not available: {message}"),
            Self::Unreachable(message) => write!(f, "no connection: {message}"),
            Self::Certificate(why) => write!(f, "the server's certificate {why}"),
            Self::Credentials(error) => error.fmt(f),
            Self::Garbled(message) => write!(f, "unexpected answer: {message}"),
            Self::NotRun(message) => write!(f, "the pod rejected it: {message}"),
            Self::Lost(message) => write!(f, "the connection was lost: {message}"),
        }
    }
}

/// The server's words. It gives no reason where `pods/exec` or `pods/portforward` may be read, but not created.
fn why_forbidden(mut message: String) -> String {
    if message.starts_with("pods \"") && message.ends_with("\" is forbidden: ") {
        message.push_str("since Kubernetes 1.35, get is not enough for exec and port-forward: create is needed too");
    }
    message
}

/// Whether a refusal is a budget's: it names the budget as its cause, and a pod that has two of them only in words.
fn is_of_a_budget(status: &kube::core::Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "DisruptionBudget") || status.message.contains("PodDisruptionBudget")
}

/// The managers that a conflict names: `conflict with "kubectl-edit" using apps/v1`.
fn contesting_managers(status: &kube::core::Status) -> Vec<String> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut managers: Vec<String> = causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .filter_map(|cause| cause.message.split('"').nth(1).map(str::to_owned))
        .collect();
    managers.sort();
    managers.dedup();
    managers
}

/// The words of an error and its sources, without repetition.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !words.last().is_some_and(|last| last.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    words.join(": ")
}

impl Display for RequestError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { asked, place, cause } = self;
        write!(f, "could not {asked} ({}): {cause}", place.in_words())
    }
}

impl std::error::Error for RequestError {}

impl RequestError {
    /// What helps. It stays here, below the causes of trouble: any request of any command may fail, also where nobody looks
    /// for a cause, and few of these failures say something of an exchange. Of those that do, a refusal and a server that is
    /// away, the sentence is one of `ByHand`, which the causes `not-permitted` and `api-server` show too.
    #[must_use]
    pub fn hint(&self) -> Hint {
        let Place { server, by_hand, .. } = &*self.place;
        match &self.cause {
            Cause::Credentials(error) if error.hint().is_some() => error.hint().unwrap_or_default().into(),
            Cause::Unauthorized | Cause::Credentials(_) => {
                by_hand.kubectl_of_cluster("config view --minify").to("see which user this is, and log in again")
            }
            Cause::Forbidden(_) => by_hand.check_permissions(),
            Cause::NotFound(_) => by_hand.kubectl_of_cluster("get namespaces").to("list the namespaces"),
            Cause::Conflict { managers, .. } if !managers.is_empty() => {
                by_hand.own("deploy --force-conflicts").to("overwrite these fields")
            }
            Cause::Conflict { .. } => "someone else changed it at the same time: run the command again".into(),
            Cause::Invalid(_) => "change what the server rejects, and run the command again".into(),
            Cause::EvictionRefused(_) => by_hand.kubectl("get poddisruptionbudget").to("see what the budget allows"),
            Cause::Unavailable(_) => by_hand.check_server(),
            Cause::TimedOut(_) => {
                format!("{server} is slow or does not answer: try again, or give it more time with --request-timeout")
                    .into()
            }
            Cause::Unreachable(_) => by_hand
                .kubectl_of_cluster("cluster-info")
                .to(format!("is the cluster running, and is {server} its address? Ask it")),
            Cause::Certificate(_) => {
                format!("renew the certificate of {server}, or give its authority: --certificate-authority FILE").into()
            }
            Cause::Garbled(_) => {
                by_hand.kubectl_of_cluster("version").to(format!("is {server} a Kubernetes API server? Ask it"))
            }
            Cause::NotRun(_) | Cause::Lost(_) => by_hand.kubectl("get pods").to("check the pods"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubernetes::by_hand_tests::{assert_leads, hostile};

    #[test]
    fn a_budget_that_keeps_a_pod_is_no_server_that_is_away() {
        let cause = |status| Cause::of_status(&serde_json::from_value(status).unwrap());
        let causes =
            json!([{ "reason": "DisruptionBudget", "message": "The disruption budget kept needs 1 healthy pods" }]);
        let violates = "Cannot evict pod as it would violate the pod's disruption budget.";
        let kept = cause(json!({ "code": 429, "message": violates, "details": { "causes": causes } }));
        assert_eq!(kept, Cause::EvictionRefused(violates.to_owned()));
        assert!(kept.is_refusal() && !kept.is_away());
        let two = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        assert_eq!(cause(json!({ "code": 500, "message": two })), Cause::EvictionRefused(two.to_owned()));
        assert!(cause(json!({ "code": 429, "message": "too many requests" })).is_away());
    }

    #[test]
    fn a_pod_that_a_kubelet_has_not_heard_of_yet_may_be_there() {
        let cause = |message: &str| {
            Cause::of_status(&serde_json::from_value(json!({ "code": 404, "message": message })).unwrap())
        };
        assert!(cause("pods \"backend\" not found").is_refusal());
        let restarted = cause(NOT_AT_ITS_NODE);
        assert!(!restarted.is_refusal() && !restarted.is_not_found(), "{restarted:?}");
    }

    #[test]
    fn a_refusal_without_a_reason_gets_one() {
        let says = |message: &str| {
            Cause::of_status(&serde_json::from_value(json!({ "code": 403, "message": message })).unwrap()).to_string()
        };
        assert!(says("pods \"postgres-0\" is forbidden: ").ends_with("create is needed too"));
        assert!(!says("leases \"demo\" is forbidden: ").contains("needed"));
        let reason = "pods is forbidden: User \"anna\" cannot list resource \"pods\"";
        assert_eq!(says(reason), format!("not permitted: {reason}"));
    }

    #[test]
    fn the_hint_of_every_cause_leads_where_the_run_went() {
        let says = || "no".to_owned();
        let place = Place { server: "https://s".to_owned(), by_hand: hostile(), ..Place::default() };
        let place = Arc::new(place);
        for cause in [
            Cause::Unauthorized,
            Cause::Credentials(CredentialsError::new("no")),
            Cause::Forbidden(says()),
            Cause::NotFound(says()),
            Cause::Conflict { message: says(), managers: vec!["kubectl-edit".to_owned()] },
            Cause::Conflict { message: says(), managers: Vec::new() },
            Cause::Invalid(says()),
            Cause::EvictionRefused(says()),
            Cause::Unavailable(says()),
            Cause::TimedOut(says()),
            Cause::Unreachable(says()),
            Cause::Certificate(says()),
            Cause::Garbled(says()),
            Cause::NotRun(says()),
            Cause::Lost(says()),
        ] {
            let error = RequestError { asked: "get".to_owned(), place: Arc::clone(&place), cause };
            let commands = assert_leads(&error.hint(), &place.by_hand);
            let words_alone = matches!(&error.cause, Cause::Invalid(_) | Cause::TimedOut(_) | Cause::Certificate(_))
                || matches!(&error.cause, Cause::Conflict { managers, .. } if managers.is_empty());
            assert_eq!(commands, usize::from(!words_alone), "{}", error.hint());
        }
    }
}
