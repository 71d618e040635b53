//! The way that applications take: by the headless name, from a pod of the backend.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::act;
use crate::kubernetes::exec::{self, Ended, Program};
use crate::kubernetes::{Cause, Cluster};
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::{NameAnswer, Resolved};

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
fn command(before: &str, limit: Duration) -> Vec<String> {
    ["python3", "-", before, names::POSTGRES_POD, &limit.as_secs().to_string()].map(str::to_owned).into()
}

/// Shows how it is asked by hand.
pub async fn show(ctx: &Ctx, pod: &str, before: &str, deadline: Instant) -> anyhow::Result<()> {
    let place = ctx.cluster().await?.place();
    ctx.show(|| {
        let words = command(before, deadline.saturating_duration_since(Instant::now()));
        let exec = ["exec", "-i", pod, "--"].into_iter().chain(words.iter().map(String::as_str));
        act::command(place, &exec.collect::<Vec<_>>()) + " <by_name.py"
    });
    Ok(())
}

/// What has come of the asking, for as long as nothing is answered.
#[derive(Default)]
pub struct Asking {
    ran: Cell<bool>,
    error: RefCell<Option<String>>,
}

impl Asking {
    /// Why it was in vain the last time.
    pub fn error(&self) -> Option<String> {
        self.error.borrow().clone()
    }

    /// What is known if no answer comes any more. Where the program never ran, nobody could ask, and nothing is known.
    pub fn given_up(&self) -> Reading<NameAnswer> {
        if self.ran.get() {
            return Reading::Absent;
        }
        let why = self.error().unwrap_or_else(|| "the pod that asks did not answer in time".to_owned());
        Reading::Unknown(Reason::Failed(why))
    }

    fn heard(&self, stdout: &[u8]) {
        self.ran.set(true);
        // The last line may not be there as a whole yet.
        let whole = stdout.rsplit(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        if let Some(error) = whole.strip_prefix(b"#").filter(|error| !error.is_empty()) {
            *self.error.borrow_mut() = Some(String::from_utf8_lossy(error).into_owned());
        }
    }
}

/// Asks from a pod, until the deadline.
pub async fn ask(
    cluster: &Cluster,
    pod: &str,
    before: &str,
    deadline: Instant,
    asking: &Asking,
) -> Reading<NameAnswer> {
    loop {
        let limit = deadline.saturating_duration_since(Instant::now());
        let words = command(before, limit);
        let patience = limit + Duration::from_secs(10);
        let program = Program { pod, container: names::BACKEND, command: &words };
        match exec::run_aloud(cluster, program, PROGRAM, patience, |stdout| asking.heard(stdout)).await {
            Ok(ended) => return read(pod, &ended),
            Err(error) if !is_passing(&error.cause) => return Reading::Unknown(error.into()),
            Err(error) => *asking.error.borrow_mut() = Some(error.cause.to_string()),
        }
        if Instant::now() >= deadline {
            return asking.given_up();
        }
        sleep(PAUSE).await;
    }
}

fn is_passing(cause: &Cause) -> bool {
    !matches!(cause, Cause::Forbidden(_) | Cause::Unauthorized | Cause::NotFound(_))
}

fn read(pod: &str, ended: &Ended) -> Reading<NameAnswer> {
    match serde_json::from_str::<Answer>(ended.stdout.trim().lines().last().unwrap_or_default()) {
        Ok(Answer { start: None, .. }) => Reading::Absent,
        Ok(Answer { name, addresses, pod_name, pod_addresses, start: Some(start), errors }) => {
            let names = vec![Resolved { name, addresses }, Resolved { name: pod_name, addresses: pod_addresses }];
            Reading::Present(NameAnswer { from: pod.to_owned(), names, start: Some(start), errors })
        }
        Err(_) => {
            let last = ended.stderr.trim().lines().last().unwrap_or("it printed nothing");
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
        let lines = format!("#\n#refused\n{}\n", answer("\"1.5\""));
        let Reading::Present(name) = read("b", &ended(&lines)) else { panic!("it answered") };
        assert_eq!((name.start.as_deref(), name.from.as_str()), (Some("1.5"), "b"));
        let Reading::Unknown(Reason::Failed(why)) = read("b", &ended("")) else { panic!("it is unknown") };
        assert!(why.contains("ModuleNotFoundError"), "{why}");
    }

    #[test]
    fn what_was_in_vain_is_kept_and_who_could_not_ask_knows_nothing() {
        let asking = Asking::default();
        assert!(matches!(asking.given_up(), Reading::Unknown(_)));
        *asking.error.borrow_mut() = Some("no such container".to_owned());
        assert_eq!(asking.given_up(), Reading::Unknown(Reason::Failed("no such container".to_owned())));
        for (stdout, error) in [
            ("#", "no such container"),
            ("#\n", "no such container"),
            ("#\n#refused\n#pass", "refused"),
            ("#\n#refused\n#password failed\n", "password failed"),
            ("#\n#password failed\n{}\n", "password failed"),
        ] {
            asking.heard(stdout.as_bytes());
            assert_eq!((asking.given_up(), asking.error().as_deref()), (Reading::Absent, Some(error)), "{stdout}");
        }
    }
}
