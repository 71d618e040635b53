//! The way that applications take: by the headless name, from a pod of the backend.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::exchange::names;
use crate::kubernetes::exec::{self, Ended, Program};
use crate::kubernetes::{Cause, Cluster};
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::Name;

/// Asks until another server than the one before answers, and the names lead to it. Its arguments: the start of the server
/// before, the pod's name, and for how many seconds it asks. The password stays in the container's environment.
const PROGRAM: &str = include_str!("by_name.py");

/// The pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    name: String,
    addresses: Vec<String>,
    pod_name: String,
    pod_addresses: Vec<String>,
    start: Option<String>,
    errors: Vec<String>,
}

/// The words of the command that runs it.
pub fn command(before: &str, limit: Duration) -> Vec<String> {
    ["python3", "-", before, names::POSTGRES_POD, &limit.as_secs().to_string()].map(str::to_owned).into()
}

/// Asks from a pod, until the deadline.
pub async fn ask(cluster: &Cluster, pod: &str, before: &str, deadline: Instant) -> Reading<Name> {
    loop {
        let limit = deadline.saturating_duration_since(Instant::now());
        let words = command(before, limit);
        let patience = limit + Duration::from_secs(10);
        let program = Program { pod, container: names::BACKEND, command: &words };
        match exec::run(cluster, program, PROGRAM, patience).await {
            Ok(ended) => return read(pod, &ended),
            Err(error) if Instant::now() < deadline && is_passing(&error.cause) => sleep(PAUSE).await,
            Err(error) => return Reading::Unknown(error.into()),
        }
    }
}

fn is_passing(cause: &Cause) -> bool {
    !matches!(cause, Cause::Forbidden(_) | Cause::Unauthorized | Cause::NotFound(_))
}

fn read(pod: &str, ended: &Ended) -> Reading<Name> {
    match serde_json::from_str::<Answer>(ended.stdout.trim()) {
        Ok(Answer { start: None, .. }) => Reading::Absent,
        Ok(Answer { name, addresses, pod_name, pod_addresses, start: Some(start), errors }) => {
            Reading::Present(Name { from: pod.to_owned(), name, addresses, pod_name, pod_addresses, start, errors })
        }
        Err(_) => {
            let last = ended.stderr.trim().lines().last().unwrap_or("it wrote nothing");
            Reading::Unknown(Reason::Failed(format!("python3 in pod/{pod}: {last}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(stdout: &str) -> Ended {
        Ended { code: 0, stdout: stdout.to_owned(), stderr: "x\nModuleNotFoundError: psycopg\n".to_owned() }
    }

    #[test]
    fn no_answer_and_no_asking_are_not_the_same() {
        let answer = |start: &str| {
            format!(
                r#"{{"name":"postgres-headless","addresses":["10.0.0.1"],"podName":"postgres-0.postgres-headless","podAddresses":[],"start":{start},"errors":["refused"]}}"#
            )
        };
        assert!(matches!(read("b", &ended(&answer("null"))), Reading::Absent));
        let Reading::Present(name) = read("b", &ended(&answer("\"1.5\""))) else { panic!("it answered") };
        assert_eq!((name.start.as_str(), name.from.as_str()), ("1.5", "b"));
        let Reading::Unknown(Reason::Failed(why)) = read("b", &ended("")) else { panic!("it is unknown") };
        assert!(why.contains("ModuleNotFoundError"), "{why}");
    }
}
