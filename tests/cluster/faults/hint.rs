//! What a hint asks people to type.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::plugin;

/// How long a command that watches is watched.
const WATCHED: Duration = Duration::from_secs(1);

/// A command that waits for something that does not come is ended after these many seconds, and so fails.
const LONGEST: [&str; 3] = ["timeout", "--kill-after=5", "120"];

/// What stands for a value that only the reader knows, and one that fits.
const VALUES: [(&str, &str, &str); 6] = [
    ("--postgres-image", "IMAGE", "docker.io/library/postgres:17"),
    // The test cluster has one image of PostgreSQL.
    ("--postgres-image", "docker.io/library/postgres:16", "docker.io/library/postgres:17"),
    ("--backend-image", "IMAGE", concat!("ghcr.io/kubecoin/kubecoin-backend:", env!("CARGO_PKG_VERSION"))),
    ("--frontend-image", "IMAGE", concat!("ghcr.io/kubecoin/kubecoin-frontend:", env!("CARGO_PKG_VERSION"))),
    ("--storage-class", "NAME", "local-path"),
    ("-U", "ROLE", "rescue"),
];

/// The commands among the words of a hint.
pub fn commands(hint: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut rest = hint;
    while let Some(begin) = rest.find("kubectl ").filter(|at| *at == 0 || rest[..*at].ends_with(": ")) {
        let (command, after) = rest[begin..].split_at(length(&rest[begin..]));
        all.push(shlex::split(command).unwrap_or_else(|| panic!("quotes in {command}")));
        rest = after;
    }
    all
}

/// Up to the `;` after which words or another command follow: one in quotes is of the command.
fn length(text: &str) -> usize {
    let mut quote = None;
    let end = text.char_indices().find(|(_, letter)| {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(*letter),
            (Some(open), _) if open == *letter => quote = None,
            _ => {}
        }
        quote.is_none() && *letter == ';'
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Types a command. It must not fail.
pub fn follow(words: &[String]) {
    let words = filled_in(words);
    if words.iter().any(|word| ["-w", "--watch"].contains(&word.as_str())) {
        return watch(typed(&words));
    }
    let mut command = typed(&[&LONGEST.map(str::to_owned), &words[..]].concat());
    let done = command.output().expect("it starts");
    // What was asked whether it holds may say that it does not.
    let asks = ["status", "dns-check"].iter().any(|name| words.get(2).is_some_and(|word| word == name));
    let is_fine = done.status.success() || asks && done.status.code() == Some(1);
    let said = [done.stdout, done.stderr].concat();
    assert!(is_fine, "the hint fails: {}: {}", words.join(" "), String::from_utf8_lossy(&said));
}

fn filled_in(words: &[String]) -> Vec<String> {
    let value = |at: usize| {
        let before = at.checked_sub(1).map_or("", |at| &words[at]);
        let known = VALUES.iter().find(|(flag, place, _)| *flag == before && *place == words[at]);
        known.map_or_else(|| words[at].clone(), |(_, _, value)| (*value).to_owned())
    };
    // Where there is no terminal, nobody can confirm it.
    let confirmed = words.iter().any(|word| word == "teardown").then(|| "--yes".to_owned());
    (0..words.len()).map(value).chain(confirmed).collect()
}

/// The program and its arguments, as somebody types them where nobody is asked.
fn typed(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env("PATH", plugin::path()).env("EDITOR", "true").stdin(Stdio::null());
    command
}

fn watch(mut command: Command) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    thread::sleep(WATCHED);
    if let Some(ended) = child.try_wait().expect("a child") {
        assert!(ended.success(), "the hint fails: {command:?}: {ended}");
    }
    // It may end by itself in this moment.
    let _ = child.kill();
    child.wait().expect("it ends");
}

#[test]
fn commands_are_found_among_words() {
    let hint = r#"end it: kubectl kubecoin psql -c "SELECT 1; SELECT 2" -n a; or look at kubectl's words: kubectl get pods -n a; and wait"#;
    let words = |text: &str| shlex::split(text).unwrap();
    let expected = [words(r#"kubectl kubecoin psql -c "SELECT 1; SELECT 2" -n a"#), words("kubectl get pods -n a")];
    assert_eq!(commands(hint), expected);
    assert_eq!(commands("kubectl kubecoin init-db -n a"), [words("kubectl kubecoin init-db -n a")]);
    assert!(commands("ask an administrator").is_empty());
}
