//! What kubectl takes, the plugin takes: both are given the same kubeconfigs, flags and environment, and are asked who
//! one is.
//!
//! Rows are played against scripted servers, which answer with all they saw of the request, and those that decide who one
//! is against the test cluster too.

mod client;
mod differs;
mod drawn;
mod pki;
mod proxy;
mod real;
mod row;
#[path = "../../support/script.rs"]
mod script;
mod scripted;
mod server;
mod stage;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use client::{Client, Outcome, Refusal};
use row::{Row, Wanted};
use stage::Stage;

/// How many rows are played at a time. Most of the time of each is kubectl's start.
const AT_A_TIME: usize = 4;

/// What is wrong with a row of which nothing is known beforehand.
fn compare(row: &Row, kubectl: &Outcome, plugin: &Outcome) -> Option<String> {
    (kubectl != plugin && differs::reason(row).is_none()).then(|| "differs".to_owned())
}

/// What is wrong with how a row of the table ended, if anything.
fn judge(row: &Row, kubectl: &Outcome, plugin: &Outcome) -> Option<String> {
    match (&row.wanted, kubectl) {
        (Wanted::Reached, Outcome::Reached { .. }) | (Wanted::Refused(_), Outcome::Refused(_)) | (Wanted::Alike, _) => {
        }
        (wanted, _) => return Some(format!("kubectl is not {wanted:?}")),
    }
    if kubectl != plugin {
        return Some("differs".to_owned());
    }
    match (&row.wanted, plugin) {
        (Wanted::Refused(named), Outcome::Refused(Refusal(said))) => {
            let missing: Vec<_> = named.iter().filter(|name| !said.contains(*name)).collect();
            (!missing.is_empty()).then(|| format!("the refusal does not name {missing:?}"))
        }
        _ => None,
    }
}

/// How rows ended that both clients have played.
#[derive(Default)]
struct Played {
    reached: usize,
    refused: usize,
    wrong: BTreeMap<usize, String>,
}

/// Plays all rows that are for this stage. Gives what is wrong, row by row.
fn play(rows: &[Row], stage: &Stage, judge: impl Fn(&Row, &Outcome, &Outcome) -> Option<String> + Sync) -> String {
    let (next, played) = (AtomicUsize::new(0), Mutex::new(Played::default()));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = rows.get(number) else { break };
                    let home = stage.folder.path().join(number.to_string());
                    let Some(row) = row.on(stage, &home) else { continue };
                    let kubectl = Client::Kubectl.play(&row, stage, &home);
                    let plugin = Client::Plugin.play(&row, stage, &home);
                    let wrong = judge(&row, &kubectl, &plugin);
                    let mut played = played.lock().unwrap();
                    *if matches!(kubectl, Outcome::Refused(_)) { &mut played.refused } else { &mut played.reached } +=
                        1;
                    played.wrong.extend(wrong.map(|wrong| (number, tell(&row, &wrong, &kubectl, &plugin))));
                }
            });
        }
    });
    let Played { reached, refused, wrong } = played.into_inner().unwrap();
    println!("kubectl reaches the server in {reached} rows, and refuses {refused}");
    assert!(reached + refused > 0, "no row is for this stage");
    if wrong.is_empty() {
        return String::new();
    }
    format!("{} of {} rows are wrong:\n", wrong.len(), reached + refused) + &wrong.into_values().collect::<String>()
}

fn tell(row: &Row, wrong: &str, kubectl: &Outcome, plugin: &Outcome) -> String {
    let Row { name, env, args, files, .. } = row;
    let mut text = format!("\n== {name}: {wrong}\n  flags {args:?}, environment {env:?}\n");
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with("config")) {
        let lines = content.lines().map(|line| format!("    {}\n", shortened(line)));
        text.extend([format!("  {path}:\n")].into_iter().chain(lines));
    }
    let _ = writeln!(text, "  kubectl {kubectl}\n  plugin  {plugin}");
    text
}

/// Certificates in a line would hide the rest.
fn shortened(line: &str) -> String {
    if line.chars().count() > 400 { line.chars().take(400).chain("…".chars()).collect() } else { line.to_owned() }
}
