//! What a terminal gets, and what a file or a pipe gets instead.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use rexpect::session::{PtySession, spawn_command};
use serde_json::json;

use crate::plugin::Home;
use crate::server::{Reply, Server};
use crate::world::{APPS, World, refusal};

const PATIENCE: Duration = Duration::from_secs(30);
const SET: &str = "/statefulsets/postgres";

fn healthy() -> Server {
    let world = World::healthy();
    Server::start(move |request| world.reply(request))
}

/// Whose database is ready from the third time on that it is read: what is not ready is read again before it is said.
fn becoming_ready() -> Server {
    let (after, reads) = (World::healthy(), AtomicUsize::new(0));
    let mut before = after.clone();
    before.at(&format!("{APPS}{SET}"))["status"]["readyReplicas"] = 0.into();
    Server::start(move |request| {
        let first = request.path.ends_with(SET) && reads.fetch_add(1, Ordering::Relaxed) < 2;
        if first { before.reply(request) } else { after.reply(request) }
    })
}

fn on_a_terminal(mut command: Command, variables: &[(&str, &str)]) -> PtySession {
    command.envs(variables.iter().copied());
    let limit = PATIENCE.as_millis().try_into().unwrap();
    spawn_command(command, Some(limit)).unwrap()
}

/// All that a terminal is sent.
fn shown(home: &Home, words: &str, variables: &[(&str, &str)]) -> String {
    on_a_terminal(home.command(words), variables).exp_eof().unwrap()
}

/// What is left without colours.
fn plain(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn colour_is_for_terminals_unless_asked_otherwise() {
    let server = healthy();
    let home = Home::at(&server);
    let xterm = ("TERM", "xterm-256color");
    let uncoloured = shown(&home, "status --no-db", &[xterm, ("NO_COLOR", "1")]);
    assert!(uncoloured.contains("exchange: objects in order (alice on scripted)"), "{uncoloured}");
    for (words, variables, coloured) in [
        ("", &[xterm][..], true),
        ("", &[xterm, ("NO_COLOR", "")], true),
        ("", &[xterm, ("NO_COLOR", "1")], false),
        ("", &[("TERM", "dumb")], false),
        ("", &[], false),
        ("--color auto", &[xterm], true),
        ("--color never", &[xterm], false),
        ("--color always", &[("TERM", "dumb"), ("NO_COLOR", "1")], true),
    ] {
        let text = shown(&home, &format!("status --no-db {words}"), variables);
        assert_eq!(text.contains("\u{1b}["), coloured, "{words} {variables:?}: {text:?}");
        assert_eq!(plain(&text), uncoloured, "{words} {variables:?}: colour only decorates");
    }
    for (words, coloured) in [("", false), ("--color never", false), ("--color always", true)] {
        let text = home.run(&format!("status --no-db {words}")).stdout;
        assert_eq!(text.contains("\u{1b}["), coloured, "{words}: {text:?}");
    }
    // Programs read no colours, however they are asked for.
    assert!(!home.run("status --no-db -o json --color always").stdout.contains('\u{1b}'));
}

#[test]
fn a_terminal_sees_changes_in_place() {
    let server = becoming_ready();
    let home = Home::at(&server);
    let mut terminal = on_a_terminal(home.command("status --no-db --watch"), &[("TERM", "xterm")]);
    // Each time from the top, and what was below is cleared.
    for words in ["not ready yet", "objects in order"] {
        terminal.exp_string("\u{1b}[H").unwrap();
        let drawn = terminal.exp_string("\u{1b}[J").unwrap();
        assert!(
            drawn.contains("statefulset/postgres") && plain(&drawn).contains(&format!("exchange: {words} (")),
            "{drawn}"
        );
    }
    terminal.send_control('c').unwrap();
    terminal.exp_string("interrupted").unwrap();
    terminal.exp_eof().unwrap();
    assert!(matches!(terminal.process().wait().unwrap(), WaitStatus::Exited(_, 130)));
}

#[test]
fn a_terminal_sees_the_board_in_place() {
    let set = World::healthy().at(&format!("{APPS}{SET}")).clone();
    let (world, lists) = (World::healthy(), AtomicUsize::new(0));
    let server = Server::start(move |request| match request.path.as_str() {
        "/apis/apps/v1/statefulsets" => Reply::Json(200, json!({ "metadata": {}, "items": [set] })),
        "/api/v1/configmaps" if request.query.contains("kubecoin-exercise") => {
            Reply::Json(200, json!({ "metadata": {}, "items": [] }))
        }
        "/api/v1/configmaps" if lists.fetch_add(1, Ordering::Relaxed) == 0 => refusal(403, "Forbidden", "you may not"),
        "/api/v1/configmaps" => Reply::Json(200, json!({ "metadata": {}, "items": [] })),
        _ => world.reply(request),
    });
    let home = Home::at(&server);
    let mut terminal = on_a_terminal(home.command("status -A --no-db --watch"), &[("TERM", "xterm")]);
    for (lesson, is_told_why) in [("unknown", true), ("<none>", false)] {
        terminal.exp_string("\u{1b}[H").unwrap();
        let drawn = terminal.exp_string("\u{1b}[J").unwrap().replace("\u{1b}[K", "");
        let row: Vec<&str> =
            drawn.lines().find(|line| line.starts_with("alice ")).unwrap().split_whitespace().collect();
        assert_eq!((row[3], drawn.contains("are answered: you may not")), (lesson, is_told_why), "{drawn}");
    }
    terminal.send_control('c').unwrap();
    terminal.exp_string("interrupted").unwrap();
    terminal.exp_eof().unwrap();
    assert!(matches!(terminal.process().wait().unwrap(), WaitStatus::Exited(_, 130)));
}

#[test]
fn a_small_terminal_sees_as_much_as_it_has_room_for() {
    let server = healthy();
    let home = Home::at(&server);
    let mut command = home.command("");
    let program = command.get_program().to_owned();
    let mut sized = Command::new("/bin/sh");
    sized.args(["-c", "stty rows 8 cols 40; exec \"$0\" status --no-db --watch"]).arg(program);
    sized.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command = sized;
    let mut terminal = on_a_terminal(command, &[("TERM", "xterm"), ("PATH", "/usr/bin:/bin")]);
    terminal.exp_string("\u{1b}[H").unwrap();
    let drawn = terminal.exp_string("\u{1b}[J").unwrap();
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    assert!(lines[6].contains("more lines"), "{lines:#?}");
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn a_pipe_and_a_dumb_terminal_get_a_line_for_each_change() {
    let server = becoming_ready();
    let home = Home::at(&server);
    let mut child = home.start("status --no-db --watch");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    for words in ["not ready yet; statefulset/postgres 0/1; ", "objects in order; statefulset/postgres 1/1; "] {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(words) && !line.contains('\u{1b}'), "{line}");
        lines.push_str(&line);
    }
    // It is read again, and nothing has changed.
    let reads = || server.requests().iter().filter(|request| request.path.ends_with(SET)).count();
    let (begin, before) = (Instant::now(), reads());
    while reads() == before {
        assert!(begin.elapsed() < PATIENCE, "it is not read again");
        thread::sleep(Duration::from_millis(50));
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(130), ""));

    let home = Home::at(&server);
    let mut terminal = on_a_terminal(home.command("status --no-db --watch"), &[("TERM", "dumb")]);
    let line = terminal.read_line().unwrap();
    assert!(line.starts_with("objects in order; ") && !line.contains('\u{1b}'), "{line}");
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
}
