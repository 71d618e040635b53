//! The way that a user's request takes: page, backend, database. One request goes all of it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use super::{Reading, Reason, Snapshot, readiness};
use crate::exchange::names;
use crate::kubernetes::{Cause, Cluster, HttpAnswer, RequestError};
use crate::text::one_line;

/// The call that has the backend open a new connection to the database. Those that it keeps may be fine when no new one is.
pub const CALL: &str = "/api/connection";

/// How long the answer may take by each way. The page itself gives up a backend after 5 s.
const PATIENCE: Duration = Duration::from_secs(7);

/// What came of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Path {
    /// It went all the way.
    Answered(Connection),
    /// The backend of this pod got no connection to the database: its word for why.
    NoDatabase {
        /// The backend's pod.
        backend: String,
        /// `password`, `refused`, or another of the words in the backend's README.
        reason: String,
    },
    /// The page was served, but no backend answered behind it.
    NoBackend,
    /// The page was not served: why.
    NoPage(String),
    /// Something else was served, or an older backend: the beginning of it.
    Other(String),
}

impl Path {
    /// Whether the database at its end has the table; none if it did not go all the way.
    #[must_use]
    pub fn has_table(&self) -> Option<bool> {
        match self {
            Self::Answered(connection) => Some(connection.database.wallets_table),
            _ => None,
        }
    }
}

/// What a new connection of the backend's has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The backend's pod.
    pub backend: String,
    pub database: Served,
}

/// The database at the end of such a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The name by which the backend reaches it.
    pub host: String,
    /// When its server started.
    pub started_at: Timestamp,
    /// The role that the backend is.
    pub role: String,
    /// Whether transactions cannot write.
    pub read_only: bool,
    /// Whether the server follows another one.
    pub in_recovery: bool,
    /// Whether it has the table.
    pub wallets_table: bool,
    /// What the role lacks of what the backend needs to use the table.
    pub missing_privileges: Vec<String>,
}

/// How the page is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// A port of the page's Service.
    pub port: i32,
    /// A ready pod of the page and its port: where the API server reaches no pods, its node may.
    pub pod: Option<(String, u16)>,
}

impl Way {
    /// That of an exchange, if its page has a Service.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let service: &Service = snapshot.services.get(names::FRONTEND_SERVICE)?.present()?;
        let ports = service.spec.as_ref()?.ports.as_ref()?;
        let port = ports.iter().find(|port| port.name.as_deref() == Some(PORT)).or(ports.first())?.port;
        let page = snapshot.pods_of(names::FRONTEND).find(|pod| readiness::pod(pod));
        Some(Self { port, pod: page.map(|pod| (pod.name_any(), page_port(pod))) })
    }

    /// The words of the kubectl command that asks the same.
    #[must_use]
    pub fn kubectl(&self, namespace: &str) -> [String; 3] {
        let service = format!("{}:{}", names::FRONTEND_SERVICE, self.port);
        ["get".into(), "--raw".into(), format!("/api/v1/namespaces/{namespace}/services/{service}/proxy{CALL}")]
    }
}

/// The name of the page's port.
const PORT: &str = "http";

/// The port of the page in its pod, if the pod does not say.
const USUAL_PORT: u16 = 8080;

/// The port of the page in a pod of it: the one of that name, or the first one.
#[must_use]
pub fn page_port(pod: &Pod) -> u16 {
    let ports =
        || pod.spec.iter().flat_map(|spec| &spec.containers).flat_map(|container| container.ports.iter().flatten());
    let named = ports().find(|port| port.name.as_deref() == Some(PORT)).or(ports().next());
    named.and_then(|port| u16::try_from(port.container_port).ok()).unwrap_or(USUAL_PORT)
}

/// Sends the request, through the Service by the API server, or to a pod of the page if the API server may not or cannot.
/// If asked to insist, a failure that may pass is asked about again: the backend opens one such connection at a time, and gives it
/// less than a second, and a rollout replaces pods.
pub async fn ask(cluster: &Cluster, way: &Way, insist: bool) -> Reading<Path> {
    let begin = Instant::now();
    loop {
        let answer = ask_once(cluster, way).await;
        if !insist || begin.elapsed() >= patience(&answer) {
            return answer;
        }
        sleep(PAUSE).await;
    }
}

/// For how long it is worth asking again after an answer.
fn patience(answer: &Reading<Path>) -> Duration {
    match answer {
        Reading::Present(Path::NoDatabase { reason, .. }) if MAY_PASS.contains(&reason.as_str()) => BUSY,
        Reading::Present(Path::NoBackend | Path::NoPage(_)) => REPLACED,
        _ => Duration::ZERO,
    }
}

/// The backend's words for what a busy machine is enough for: it tests a connection already, or had too little time.
const MAY_PASS: [&str; 3] = ["busy", "name", "timeout"];

/// For how long a busy machine may keep it.
const BUSY: Duration = Duration::from_secs(4);

/// How long requests may still go to a pod that a rollout has replaced.
const REPLACED: Duration = Duration::from_secs(2);

/// The pause before a backend is asked again: as long as it waits by itself.
const PAUSE: Duration = Duration::from_millis(300);

async fn ask_once(cluster: &Cluster, way: &Way) -> Reading<Path> {
    let by_service = cluster.ask_service(names::FRONTEND_SERVICE, way.port, CALL);
    let refused = match in_time(by_service).await {
        Ok(answer) => return Reading::Present(judge(&answer)),
        Err(failure) if failure.is_of_the_service() => return Reading::Present(Path::NoPage(failure.words())),
        Err(failure) => failure,
    };
    let Some((pod, port)) = &way.pod else { return refused.reading() };
    match in_time(crate::kubernetes::forward::get(cluster, pod, *port, CALL)).await {
        Ok(answer) => Reading::Present(judge(&answer)),
        // The first way is the one that people have the right to.
        Err(Failure::Request(error)) if matches!(error.cause, Cause::Forbidden(_)) => refused.reading(),
        Err(failure) => Reading::Present(Path::NoPage(failure.words())),
    }
}

/// Why there was no answer.
enum Failure {
    Request(RequestError),
    Silence,
}

async fn in_time(asked: impl Future<Output = Result<HttpAnswer, RequestError>>) -> Result<HttpAnswer, Failure> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(Failure::Request),
        Err(_) => Err(Failure::Silence),
    }
}

impl Failure {
    /// Whether the Service leads nowhere. That the API server does not reach pods is not of the Service.
    fn is_of_the_service(&self) -> bool {
        let Self::Request(error) = self else { return false };
        match &error.cause {
            Cause::NotFound(_) => true,
            Cause::Unavailable(why) => ["connection refused", "no endpoints available", "no service port"]
                .iter()
                .any(|words| why.contains(words)),
            _ => false,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Request(error) => one_line(&error.cause.to_string()),
            Self::Silence => format!("no answer within {PATIENCE:?}"),
        }
    }

    fn reading(self) -> Reading<Path> {
        match self {
            Self::Request(error) => Reading::Unknown(error.into()),
            Self::Silence => Reading::Unknown(Reason::Failed(self.words())),
        }
    }
}

/// How the backend, or the page in its place, answers.
#[derive(Deserialize)]
struct Said {
    backend: Option<Backend>,
    database: Option<Served>,
    reason: Option<String>,
    #[serde(rename = "type")]
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Backend {
    pod: String,
}

/// The page's own word, of the kinds of problems that the backend's README lists, for a backend that does not answer.
const BACKEND_UNAVAILABLE: &str = "urn:kubecoin:problem:backend-unavailable";

fn judge(answer: &HttpAnswer) -> Path {
    let other = || {
        let begin: String = one_line(&answer.body).chars().take(80).collect();
        Path::Other(format!("{} {begin}", answer.status))
    };
    let Ok(said) = serde_json::from_str::<Said>(&answer.body) else { return other() };
    match said {
        Said { backend: Some(Backend { pod }), database: Some(database), .. } if answer.status == 200 => {
            Path::Answered(Connection { backend: pod, database })
        }
        Said { backend: Some(Backend { pod }), reason: Some(reason), .. } => Path::NoDatabase { backend: pod, reason },
        Said { problem: Some(problem), .. } if problem == BACKEND_UNAVAILABLE => Path::NoBackend,
        _ => other(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Path {
        judge(&HttpAnswer { status, body: body.to_owned() })
    }

    #[test]
    fn each_part_of_the_way_answers_for_itself() {
        let all = r#"{"backend":{"pod":"backend-1"},"database":{"host":"postgres-headless","pod":"postgres-0",
            "started_at":"2026-11-23T20:00:00.5Z","system_identifier":"7","role":"postgres","read_only":false,
            "in_recovery":false,"wallets_table":true,"missing_privileges":[]}}"#;
        let Path::Answered(connection) = judged(200, all) else { panic!("it answered") };
        assert_eq!((connection.backend.as_str(), connection.database.role.as_str()), ("backend-1", "postgres"));
        let refused =
            r#"{"type":"urn:kubecoin:problem:database-unavailable","backend":{"pod":"backend-1"},"reason":"refused"}"#;
        assert_eq!(
            judged(503, refused),
            Path::NoDatabase { backend: "backend-1".to_owned(), reason: "refused".to_owned() }
        );
        assert_eq!(judged(503, r#"{"type":"urn:kubecoin:problem:backend-unavailable"}"#), Path::NoBackend);
        for (status, body) in [(404, r#"{"type":"urn:kubecoin:problem:not-found"}"#), (200, "<html>\nhi"), (200, "{}")]
        {
            assert!(matches!(judged(status, body), Path::Other(words) if words.starts_with(&status.to_string())));
        }
    }
}
