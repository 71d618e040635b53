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

/// Asks until another server than the one before answers. Its arguments: the start of the server before, the pod's name, for how
/// many seconds it asks, and the way. The password stays in the container's environment.
const PROGRAM: &str = include_str!("by_name.py");

/// The pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// What the asking is about, and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One server: both names lead to it.
    Server,
    /// Of a replicated database, whichever member takes writes.
    Primary,
    /// Of a replicated database, the member that has the pod's own name.
    Member,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Primary => "primary",
            Self::Member => "member",
        }
    }
}

/// Whom to ask, from where.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The pod that asks.
    pub from: &'a str,
    /// The pod that is stopped.
    pub about: &'a str,
    /// The start of its server before.
    pub before: &'a str,
    pub way: Way,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    name: String,
    addresses: Vec<String>,
    pod_name: String,
    pod_addresses: Vec<String>,
    start: Option<String>,
    pod: Option<String>,
    errors: Vec<String>,
}

impl Question<'_> {
    /// The words of the command that asks it.
    fn command(&self, limit: Duration) -> Vec<String> {
        ["python3", "-", self.before, self.about, &limit.as_secs().to_string(), self.way.word()]
            .map(str::to_owned)
            .into()
    }
}

/// Shows how it is asked by hand.
pub async fn show(ctx: &Ctx, question: Question<'_>, deadline: Instant) -> anyhow::Result<()> {
    let place = ctx.cluster().await?.place();
    ctx.show(|| {
        let words = question.command(deadline.saturating_duration_since(Instant::now()));
        let exec = ["exec", "-i", question.from, "--"].into_iter().chain(words.iter().map(String::as_str));
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

/// Asks it, until the deadline.
pub async fn ask(cluster: &Cluster, question: Question<'_>, deadline: Instant, asking: &Asking) -> Reading<NameAnswer> {
    loop {
        let limit = deadline.saturating_duration_since(Instant::now());
        let words = question.command(limit);
        let patience = limit + Duration::from_secs(10);
        let program = Program { pod: question.from, container: names::BACKEND, command: &words };
        match exec::run_aloud(cluster, program, PROGRAM, patience, |stdout| asking.heard(stdout)).await {
            Ok(ended) => return read(question, &ended),
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

/// Where one server is asked, both names lead to it, and it is known which pod that is. Else it is one name.
fn read(question: Question<'_>, ended: &Ended) -> Reading<NameAnswer> {
    let from = question.from;
    match serde_json::from_str::<Answer>(ended.stdout.trim().lines().last().unwrap_or_default()) {
        Ok(Answer { start: None, .. }) => Reading::Absent,
        Ok(Answer { name, addresses, pod_name, pod_addresses, start: Some(start), pod, errors }) => {
            let [all, own] = [Resolved { name, addresses }, Resolved { name: pod_name, addresses: pod_addresses }];
            let (names, pod) = match question.way {
                Way::Server => (vec![all, own], None),
                Way::Primary => (vec![all], pod),
                Way::Member => (vec![own], pod),
            };
            Reading::Present(NameAnswer { from: from.to_owned(), names, start: Some(start), pod, errors })
        }
        Err(_) => {
            let last = ended.stderr.trim().lines().last().unwrap_or("it printed nothing");
            Reading::Unknown(Reason::Failed(format!("python3 in pod/{from}: {last}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Question<'_> = Question { from: "b", about: "postgres-0", before: "1.0", way: Way::Server };

    fn ended(stdout: &str) -> Ended {
        Ended { code: 0, stdout: stdout.to_owned(), stderr: "x\nModuleNotFoundError: psycopg\n".to_owned() }
    }

    #[test]
    fn no_answer_and_no_asking_are_not_the_same() {
        let read = |_: &str, ended: &Ended| super::read(ASKED, ended);
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
