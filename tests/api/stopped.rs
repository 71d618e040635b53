//! Runs that are stopped at each of their changes, by each signal: the next one completes what they have begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::store::{DEPLOYED, Store};

/// When a run is stopped: at a change, and whether the server still does it.
#[derive(Clone, Copy, Debug)]
struct Stop {
    signal: Signal,
    is_done: bool,
}

/// A run that can delete what it has made waits for an answer; one that is killed does not.
const STOPS: [Stop; 4] = [
    Stop { signal: Signal::SIGINT, is_done: true },
    Stop { signal: Signal::SIGTERM, is_done: true },
    Stop { signal: Signal::SIGKILL, is_done: true },
    Stop { signal: Signal::SIGKILL, is_done: false },
];

fn is_change(request: &Request) -> bool {
    request.method != "GET" && !request.query.contains("dryRun") && !request.path.contains("selfsubject")
}

/// Runs a command, and stops it when its n-th change arrives. Gives the exit code of one that had fewer.
fn stopped_at(number: usize, words: &str, stop: Stop, store: &Arc<Store>) -> Option<i32> {
    let (pid, changes) = (Arc::new(AtomicI32::new(0)), AtomicUsize::new(0));
    let (to, kept) = (Arc::clone(&pid), Arc::clone(store));
    let server = Server::start(move |request| {
        if !is_change(request) || changes.fetch_add(1, Ordering::Relaxed) + 1 != number {
            return kept.reply(request);
        }
        while to.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let reply = if stop.is_done { kept.reply(request) } else { Reply::Silence };
        kill(Pid::from_raw(to.load(Ordering::Relaxed)), stop.signal).unwrap();
        reply
    });
    let home = Home::at(&server);
    let mut child = home.start(words);
    pid.store(child.id().try_into().unwrap(), Ordering::Relaxed);
    let status = child.wait().unwrap();
    let is_stopped = server.requests().iter().filter(|request| is_change(request)).count() >= number;
    if is_stopped { None } else { status.code() }
}

fn run(words: &str, store: &Arc<Store>) -> Ended {
    let kept = Arc::clone(store);
    let server = Server::start(move |request| kept.reply(request));
    Home::at(&server).run(words)
}

#[test]
fn deploy_is_completed_by_the_next_run() {
    let words = "deploy --wait=false";
    for stop in STOPS {
        let mut number = 1;
        loop {
            let store = Arc::new(Store::empty());
            let code = stopped_at(number, words, stop, &store);
            let secret = store.uid("secrets/postgres-credentials");
            let again = run(words, &store);
            assert_eq!(again.code, 0, "{stop:?} at change {number}: {again:?}");
            for end in DEPLOYED {
                assert!(store.uid(end).is_some(), "{stop:?} at change {number}: no {end}");
            }
            let now = store.uid("secrets/postgres-credentials");
            assert!(secret.is_none() || secret == now, "{stop:?} at change {number}: the password is another one");
            if let Some(code) = code {
                assert_eq!(code, 0);
                break;
            }
            number += 1;
        }
        assert!(number > DEPLOYED.len(), "it was stopped only {} times", number - 1);
    }
}

#[test]
fn teardown_is_completed_by_the_next_run() {
    for (words, least) in [("teardown --yes", 6), ("teardown --delete-data --yes", 10)] {
        is_completed(words, least, Store::deployed);
    }
}

/// Where the workloads were orphaned, or the claim was deleted before.
#[test]
fn teardown_of_what_was_half_deleted_is_completed_by_the_next_run() {
    let words = "teardown --delete-data --yes";
    is_completed(words, 9, Store::orphaned);
    is_completed(words, 12, Store::with_ending_claim);
    is_completed(words, 11, Store::with_released_volume);
}

fn is_completed(words: &str, least: usize, begin: fn() -> Store) {
    for stop in STOPS {
        let mut number = 1;
        loop {
            let store = Arc::new(begin());
            let code = stopped_at(number, words, stop, &store);
            if stop.signal != Signal::SIGKILL {
                let pods = store.paths().into_iter().filter(|path| path.contains("/pods/kubecoin-"));
                assert_eq!(pods.collect::<Vec<_>>(), [""; 0], "{stop:?} at change {number}: a helper stays");
            }
            let again = run(words, &store);
            assert_eq!(again.code, 0, "{words}, {stop:?} at change {number}: {again:?}");
            let left = store.paths().into_iter().filter(|path| !path.contains("/pods/kubecoin-"));
            let kept = if words.contains("data") { 0 } else { 3 };
            let left: Vec<_> = left.collect();
            assert_eq!(left.len(), kept, "{words}, {stop:?} at change {number}: {left:?} {again:?}");
            if let Some(code) = code {
                assert_eq!(code, 0);
                break;
            }
            number += 1;
        }
        assert!(number > least, "{words}: it was stopped only {} times", number - 1);
    }
}
