//! `--watch` while the server is away: what was shown stays, and it goes on when the server is back.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rexpect::session::spawn_command;
use serde_json::json;

use crate::plugin::Home;
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, World, refusal};

/// The server answers.
const THERE: u8 = 0;
/// It says that it cannot now.
const STARTING: u8 = 1;
/// It takes requests, and answers none.
const SILENT: u8 = 2;
/// It refuses.
const FORBIDDEN: u8 = 3;

const SET: &str = "/statefulsets/postgres";
const TOLD: &str = "the cluster has not answered since 2";

/// The exchange of alice on a server that can be sent away. When it is back, the database is not ready.
struct Stage {
    server: Server,
    state: Arc<AtomicU8>,
}

impl Stage {
    fn set() -> Self {
        let state = Arc::new(AtomicU8::new(THERE));
        let (now, was_away) = (Arc::clone(&state), AtomicU8::new(THERE));
        let (before, mut after) = (World::healthy(), World::healthy());
        let set = after.at(&format!("{APPS}{SET}"));
        set["status"]["readyReplicas"] = 0.into();
        set["metadata"]["resourceVersion"] = "8".into();
        let server = Server::start(move |request| {
            let now = now.load(Ordering::Relaxed);
            was_away.fetch_max(now, Ordering::Relaxed);
            match now {
                STARTING => refusal(503, "ServiceUnavailable", "starting"),
                SILENT => Reply::Silence,
                FORBIDDEN => refusal(403, "Forbidden", "no way"),
                _ if was_away.load(Ordering::Relaxed) == THERE => answer(&before, request),
                _ => answer(&after, request),
            }
        });
        Self { server, state }
    }

    fn becomes(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }
}

fn answer(world: &World, request: &Request) -> Reply {
    let list = |items: &[&serde_json::Value]| Reply::Json(200, json!({ "metadata": {}, "items": items }));
    match request.path.as_str() {
        "/apis/apps/v1/statefulsets" => list(&[&world.objects[&format!("{APPS}{SET}")]]),
        "/api/v1/configmaps" => list(&[]),
        _ => world.reply(request),
    }
}

/// A watch whose output is read line by line.
struct Watch {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Watch {
    fn start(home: &Home, words: &str) -> Self {
        let mut child = home.start(&format!("{words} --no-db --watch --request-timeout 8s"));
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    /// What else it says on stderr until it ends, and its exit code.
    fn end(mut self) -> (String, i32) {
        let rest: Vec<String> = self.stderr.map(Result::unwrap).collect();
        (rest.join("\n"), self.child.wait().unwrap().code().unwrap())
    }
}

/// Watches a server that is away for a while in this way.
fn goes_on(words: &str, away: u8) {
    let stage = Stage::set();
    let home = Home::at(&stage.server);
    let mut watch = Watch::start(&home, words);
    let first = watch.stdout.next().unwrap().unwrap();
    assert!(first.contains("objects in order; "), "{words}: {first}");
    stage.becomes(away);
    let said = watch.stderr.next().expect("it goes on").unwrap();
    assert!(said.starts_with(&format!("warning: {TOLD}")) && said.ends_with("; trying again"), "{said}");
    stage.becomes(THERE);
    // Nothing is said of the exchange until it is read again.
    let next = watch.stdout.next().expect("it goes on").unwrap();
    assert!(next.contains("not ready yet; "), "{words}: {next}");
    kill(Pid::from_raw(watch.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let (rest, code) = watch.end();
    assert_eq!((rest.as_str(), code), ("the cluster answers again\ninterrupted", 130), "{words}");
}

#[test]
fn a_watch_goes_on_when_the_server_is_back() {
    goes_on("status", STARTING);
    goes_on("status -A", STARTING);
}

#[test]
fn a_server_that_is_silent_is_told_of_before_requests_have_timed_out() {
    goes_on("status -A", SILENT);
}

#[test]
fn a_refusal_ends_a_watch_and_a_server_that_was_never_there_begins_none() {
    for (words, says) in [("status", "you may not read the exchange ("), ("status -A", "not permitted: no way")] {
        let stage = Stage::set();
        let home = Home::at(&stage.server);
        let mut watch = Watch::start(&home, words);
        watch.stdout.next().unwrap().unwrap();
        stage.becomes(FORBIDDEN);
        let (said, code) = watch.end();
        assert!(code == 2 && said.contains(says) && !said.contains(TOLD), "{words}: {code} {said}");
        stage.becomes(STARTING);
        let ended = home.run(&format!("{words} --no-db --watch"));
        ended.could_not_run("the server is not available: 503: starting");
        assert!(!ended.stderr.contains(TOLD), "{words}: {ended:?}");
    }
}

#[test]
fn a_terminal_keeps_the_last_board_and_a_line_below_it() {
    let stage = Stage::set();
    let home = Home::at(&stage.server);
    let mut command = home.command("status -A --no-db --watch");
    command.env("TERM", "xterm");
    let mut terminal = spawn_command(command, Some(30_000)).unwrap();
    let mut drawn = || {
        terminal.exp_string("\u{1b}[H").unwrap();
        terminal.exp_string("\u{1b}[J").unwrap().replace("\u{1b}[K", "")
    };
    let first = drawn();
    assert!(first.contains("ObjectsInOrder") && !first.contains(TOLD), "{first}");
    stage.becomes(STARTING);
    let kept = loop {
        let next = drawn();
        if next.contains(TOLD) {
            break next;
        }
    };
    let row = kept.lines().find(|line| line.starts_with("alice ")).unwrap_or_else(|| panic!("{kept}"));
    assert!(row.contains("ObjectsInOrder"), "{kept}");
    stage.becomes(THERE);
    let back = drawn();
    assert!(back.contains("NotReady") && !back.contains(TOLD), "{back}");
    terminal.send_control('c').unwrap();
    terminal.exp_string("interrupted").unwrap();
    terminal.exp_eof().unwrap();
}
