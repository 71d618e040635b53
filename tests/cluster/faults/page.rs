//! The part of docs/findings.md about these faults. It is written from the data by which they are made.
//! `TRYCMD=overwrite` writes it again.

use std::collections::BTreeMap;
use std::process::Command;
use std::{env, fs};

use serde::Deserialize;

use super::all;
use super::fault::{Expects, Fault, Harm, Mend};
use super::without::WITHOUT;
use crate::support::plugin::PROGRAM;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");

/// The lines around the part, as `cargo xtask generate` knows them too: it keeps what is between them.
const BEGIN: &str = "<!-- faults: written by the tests on a cluster -->\n";
const END: &str = "<!-- end of faults -->\n";

const INTRODUCTION: &str = "
## The faults that are made on a real cluster

`cargo xtask test faults` makes each of these faults on a running exchange: by kubectl, by SQL or on the node. kubectl or SQL
must show that the fault has taken effect. Then `doctor` must name this cause, and no other one that is wrong. What its hint says is
typed, and after the mend nothing may be wrong. This table is made from the same data as the test.

The time from the effect of a fault to its name is measured in each run, and is not stored here, because it depends on the
machine. The test prints it: each fault must be named within 30 s, and the test marks what takes longer than 10 s.

- **`status`**: what `status` says at once. \"wrong\" means exit code 1, \"healthy\" means exit code 0.
- **users**: \"fail\" means that nobody can buy coins. \"work\" means that everybody can, until a pod or a connection is made
  again. \"by chance\" means that it depends on the connections which the backend still has.

| fault | `doctor` names | `status` | users | what mends it |
|---|---|---|---|---|
";

const OTHERS: &str = "
These causes have no such fault:

| cause | why |
|---|---|
";

#[derive(Deserialize)]
struct Explanations {
    items: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    id: String,
    code: String,
}

/// The id of each cause that the plugin knows, by its code.
fn causes() -> BTreeMap<String, String> {
    let listed = Command::new(PROGRAM).args(["explain", "-o", "json"]).output().expect("the plugin starts");
    let all: Explanations = serde_json::from_slice(&listed.stdout).expect("all causes");
    all.items.into_iter().map(|cause| (cause.code, cause.id)).collect()
}

/// Leads to the text about a cause.
fn link(code: &str, causes: &BTreeMap<String, String>) -> String {
    let id = causes.get(code).unwrap_or_else(|| panic!("there is no cause {code}"));
    format!("[{id}](#{}-{code}) `{code}`", id.to_lowercase())
}

fn row(fault: &Fault, causes: &BTreeMap<String, String>) -> String {
    let names = match fault.expects {
        Expects::Cause(code) | Expects::Note(code) => link(code, causes),
        Expects::Names(code, other) if code == other => format!("{}, and so does `dns-check`", link(code, causes)),
        Expects::Names(code, other) => format!("{}; `dns-check`: {}", link(code, causes), link(other, causes)),
    };
    let status = if fault.expects.code_of_status() == 0 { "healthy" } else { "wrong" };
    let users = match fault.harm {
        Harm::Now => "fail",
        Harm::Later => "work",
        Harm::ByChance => "by chance",
    };
    let mend = match fault.mend {
        Mend::ByHint => "its hint".to_owned(),
        Mend::ByHintAfter(words, _) => format!("its hint; before that, {words}"),
        Mend::By(words, _) => words.to_owned(),
    };
    format!("| {} | {names} | {status} | {users} | {mend} |\n", fault.what)
}

/// The part, without the lines around it.
fn part() -> String {
    let causes = causes();
    let id = |fault: &Fault| causes.get(fault.expects.code()).cloned();
    let mut faults: Vec<&Fault> = all().collect();
    faults.sort_by_key(|fault| id(fault));
    let rows: String = faults.iter().map(|fault| row(fault, &causes)).collect();
    let others = WITHOUT.iter().map(|(code, why)| format!("| {} | {why} |\n", link(code, &causes)));
    [INTRODUCTION, &rows, OTHERS, &others.collect::<String>(), "\n"].concat()
}

#[test]
fn the_page_says_what_the_faults_are() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the line before the faults");
    let (there, after) = rest.split_once(END).expect("the line after the faults");
    let part = part();
    if env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
        fs::write(PAGE, [before, BEGIN, &part, END, after].concat()).expect("the page is written");
    } else {
        assert!(
            there == part,
            "docs/findings.md is stale: write it again with TRYCMD=overwrite. It should have:\n{part}"
        );
    }
}

#[test]
fn each_cause_has_a_fault_or_a_reason_why_not() {
    for code in causes().keys() {
        let is_made = all().any(|fault| fault.expects.codes().any(|it| it == code));
        let has_reason = WITHOUT.iter().any(|(it, _)| it == code);
        assert!(is_made != has_reason, "{code}: has a fault: {is_made}; is among those without: {has_reason}");
    }
}

#[test]
fn no_two_faults_have_the_same_words() {
    let mut words: Vec<&str> = all().map(|fault| fault.what).collect();
    words.sort_unstable();
    let twice = words.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
    assert!(words.iter().all(|words| !words.contains('|')), "a bar ends a cell of the table");
}
