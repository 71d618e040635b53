//! Every hint leads where its run went: its commands are quoted, carry the run's flags, and are parsed again.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::*;
use crate::cli::Cli;
use crate::text::Hint;

/// Flags of a run whose values a shell would take apart, or for something else.
const HOSTILE: [&str; 17] = [
    "kubectl-kubecoin",
    "--kubeconfig",
    "/home/me/my kube config",
    "--context",
    "my cluster (dev) $HOME",
    "--cluster",
    "it's `id`",
    "--user",
    r#"the "one" & only"#,
    "--as=-dashed",
    "-s",
    "https://127.0.0.1:1/a?b=c*",
    "--tls-server-name",
    "a;b",
    "--insecure-skip-tls-verify",
    "-n",
    "alice",
];

/// The commands of a run with such flags.
///
/// # Panics
/// If these are no flags any more.
#[must_use]
pub fn hostile() -> ByHand {
    let connection = Cli::try_parse_from(HOSTILE).unwrap().global.connection;
    ByHand { namespace: connection.namespace.clone(), given: connection.given() }
}

/// That each command of a hint leads where these lead, when it is pasted. Gives how many there are.
///
/// # Panics
/// If one does not.
#[must_use]
pub fn assert_leads(hint: &Hint, by_hand: &ByHand) -> usize {
    let shown = hint.to_string();
    assert!(!shown.contains("  ") && !shown.ends_with(' '), "{hint}");
    for command in hint.commands() {
        let words = shlex::split(&command.line()).unwrap();
        assert!(shown.contains(&command.line()) && words == command.words(), "{hint}");
        let is_of_the_run =
            by_hand.given.is_empty() || words.windows(by_hand.given.len()).any(|it| it == by_hand.given);
        assert!(is_of_the_run, "leads elsewhere: {hint}");
        if words[1] == "kubecoin" {
            let cli = Cli::try_parse_from(&words[1..]).unwrap_or_else(|error| panic!("{hint}: {error}"));
            assert_eq!(cli.global.connection.given(), by_hand.given);
            assert_eq!(cli.global.connection.namespace, by_hand.namespace);
        } else {
            let of_cluster = ["node", "nodes", "namespace", "namespaces", "--raw", "kube-system", "config", "explain"];
            let of_cluster = of_cluster.iter().chain(&["version", "cluster-info", "services"]);
            let of_cluster = of_cluster.chain(&["persistentvolume", "storageclasses", "uncordon"]);
            let names_it = by_hand.namespace.as_ref().is_none_or(|name| words.windows(2).any(|it| it == ["-n", name]));
            assert!(names_it || of_cluster.into_iter().any(|word| words.iter().any(|it| it == word)), "{hint}");
        }
    }
    hint.commands().count()
}

#[test]
fn a_command_names_what_this_run_was_given() {
    let given = ["--context", "my staging"].map(str::to_owned).to_vec();
    let by_hand = ByHand { namespace: Some("alice".to_owned()), given };
    assert_eq!(by_hand.own("deploy").line(), "kubectl kubecoin deploy -n alice --context 'my staging'");
    assert_eq!(by_hand.kubectl("get pods").line(), "kubectl get pods -n alice --context 'my staging'");
    assert_eq!(by_hand.kubectl_of_cluster("get nodes").line(), "kubectl get nodes --context 'my staging'");
    assert_eq!(ByHand::default().own("deploy").line(), "kubectl kubecoin deploy");
}

#[test]
fn flags_stand_before_what_belongs_to_another_program() {
    let given = vec!["--context".to_owned(), "a b".to_owned()];
    let line = ByHand { namespace: None, given }.kubectl("exec postgres-0 -- pg_dump kubecoin").line();
    assert_eq!(line, "kubectl exec postgres-0 --context 'a b' -- pg_dump kubecoin");
}

#[test]
fn words_from_outside_stay_one_word() {
    let named = hostile().own(["verify-report", "my report (1).json; rm $HOME"]);
    assert!(named.line().starts_with("kubectl kubecoin verify-report 'my report (1).json; rm $HOME' -n alice "));
    assert_eq!(assert_leads(&named.to("check it again"), &hostile()), 1);
}

/// kubectl's verbs that a hint may lead to, and this program.
const VERBS: [&str; 23] = [
    "annotate",
    "api-resources",
    "apply",
    "auth",
    "cluster-info",
    "config",
    "create",
    "delete",
    "describe",
    "edit",
    "exec",
    "explain",
    "get",
    "kubecoin",
    "label",
    "logs",
    "patch",
    "port-forward",
    "rollout",
    "run",
    "scale",
    "uncordon",
    "version",
];

/// A text that holds a command carries no flags of the run, and is not quoted.
#[test]
fn no_text_of_this_program_holds_a_command() {
    let mut left = Vec::new();
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = fs::read_to_string(&path).unwrap();
        let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        // Two spaces begin a line of examples in a help.
        let is_text =
            |line: &&str| !["//", "#["].iter().any(|it| line.trim_start().starts_with(it)) && !is_example(line);
        for line in program.lines().filter(is_text).filter(|line| has_command(line)) {
            left.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert_eq!(left, [""; 0], "make these by ByHand");
}

fn has_command(line: &str) -> bool {
    let words = line.split("kubectl ").skip(1).map(|rest| rest.split(|it: char| !it.is_ascii_lowercase() && it != '-'));
    words.into_iter().any(|mut words| words.next().is_some_and(|verb| VERBS.contains(&verb)))
}

fn is_example(line: &str) -> bool {
    line.starts_with("  ") && !line.starts_with("   ") && !line.trim_start().starts_with('"')
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
    let rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    entries.filter(|path| !is_test(path)).flat_map(of).filter(rust).collect()
}

#[test]
fn a_command_in_a_text_is_seen() {
    assert!(has_command(r#"    "see it: kubectl get pods","#));
    assert!(has_command(r#"    format!("by `kubectl port-forward`")"#));
    assert!(!has_command(r#"    "see what kubectl reads""#));
}
