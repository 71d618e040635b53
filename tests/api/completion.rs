//! TAB: what is offered, how long it takes at most, and that nothing else is said or asked. And the file that kubectl asks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::session::spawn_command;
use serde_json::json;

use crate::plugin::{Ended, Home, finished};
use crate::server::{Reply, Server};

/// The folder that stands for krew's `bin`.
const BIN: &str = "bin";
const FILE: &str = "kubectl_complete-kubecoin";

/// Asks as the file does that kubectl runs: the last word is the one that is completed.
fn asking(home: &Home, words: &[&str]) -> Command {
    let mut command = home.command("-- kubectl-kubecoin");
    command.args(words).env("KUBECOIN_COMPLETE", "kubectl");
    command
}

fn ask(home: &Home, words: &[&str]) -> Ended {
    let answer = finished(&mut asking(home, words));
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{answer:?}");
    answer
}

/// The answer is this, at last: somebody who presses TAB waits for a second at most, and so a busy machine may have none at
/// first.
fn offers(home: &Home, words: &[&str], answer: &str) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let offered = ask(home, words).stdout;
        if offered == answer {
            return;
        }
        assert!(Instant::now() < deadline, "{words:?}: {offered:?} is not {answer:?}");
    }
}

/// A server with these namespaces.
fn server_of(namespaces: &'static [&str]) -> Server {
    Server::start(move |request| {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/api/v1/namespaces"));
        let items: Vec<_> = namespaces.iter().map(|name| json!({ "metadata": { "name": name } })).collect();
        let list = json!({ "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "items": items });
        Reply::Json(200, list)
    })
}

#[test]
fn commands_come_first_and_flags_with_a_dash() {
    let home = Home::empty();
    let all = ask(&home, &[""]).stdout;
    assert!(all.starts_with("deploy\tDeploy the exchange and wait until it works\n"), "{all}");
    assert!(all.ends_with("\n:4\n") && !all.contains("--") && !all.contains("reference"), "{all}");
    let flags = ask(&home, &["persistence-demo", "--t"]).stdout;
    let names: Vec<_> = flags.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["--times", "--timeout", "--target", "--token", "--tls-server-name", ":4"]);
    assert_eq!(ask(&home, &["deploy", "--dry-run", "s"]).stdout, "server\tLet the server check each object\n:4\n");
    assert_eq!(ask(&home, &["deploy", "--dry-run=c"]).stdout, "client\tOnly read\n:4\n");
    assert_eq!(ask(&home, &["deploy", "--timeout", ""]).stdout, ":4\n");
}

#[test]
fn topics_codes_of_findings_and_their_names_are_offered_with_their_titles() {
    let home = Home::empty();
    assert_eq!(ask(&home, &["explain", "claim-u"]).stdout, "claim-unbound\tA claim has no volume\n:4\n");
    assert_eq!(ask(&home, &["explain", "KC010"]).stdout, "KC010\tA claim has no volume\n:4\n");
    assert!(ask(&home, &["explain", "headl"]).stdout.starts_with("headless\tHeadless Service"));
    assert!(!ask(&home, &["doctor", "--only", ""]).stdout.contains("headless\tHeadless Service"));
    let all = ask(&home, &["explain", ""]).stdout;
    assert!(
        all.starts_with("level-1\t")
            && all.contains("\nKC001\t")
            && all.contains("\nunexplained\t")
            && all.ends_with("\n:4\n"),
        "{all}"
    );
}

#[test]
fn files_are_left_to_the_shell() {
    let home = Home::empty();
    let flags = ask(&home, &["verify-report", "--co"]).stdout;
    assert!(flags.starts_with("--color\t") && flags.contains("\n--context\t") && flags.ends_with(":4\n"), "{flags}");
    for words in [
        &["verify-report", ""][..],
        &["psql", "-f", "a"],
        &["--kubeconfig", ""],
        &["manifests", "--output-directory", ""],
    ] {
        assert_eq!(ask(&home, words).stdout, ":0\n", "{words:?}");
    }
}

#[test]
fn names_are_those_of_the_kubeconfig_and_of_the_cluster() {
    let server = server_of(&["bob", "alice", "al-pha"]);
    let home = Home::at(&server);
    offers(&home, &["status", "-n", ""], "al-pha\nalice\nbob\n:4\n");
    offers(&home, &["status", "--namespace=al"], "al-pha\nalice\n:4\n");
    assert_eq!(ask(&home, &["--context", ""]).stdout, "scripted\n:4\n");
    assert_eq!(ask(&home, &["--cluster", ""]).stdout, "c\n:4\n");
    assert_eq!(ask(&home, &["--user", "x"]).stdout, ":4\n");
    // What else stands in the line leads to the cluster.
    let line = ["--kubeconfig", "none", "status", "-n", ""];
    assert_eq!(ask(&home, &line).stdout, ":4\n");
    let kubeconfig = home.path().join(".kube/config");
    let line = ["status", "--timeout", "1m", "--kubeconfig", kubeconfig.to_str().unwrap(), "-n", "b"];
    offers(&home, &line, "bob\n:4\n");
}

#[test]
fn a_name_that_a_shell_takes_for_another_is_not_offered() {
    let home = Home::empty();
    let contexts =
        ["plain", "two words", "line\nbreak", "esc\u{1b}[2J"].map(|name| json!({ "name": name, "context": {} }));
    home.write(".kube/config", &json!({ "apiVersion": "v1", "kind": "Config", "contexts": contexts }).to_string());
    assert_eq!(ask(&home, &["--context", ""]).stdout, "plain\n:4\n");
}

#[test]
fn a_cluster_that_does_not_answer_is_given_up() {
    let server = Server::start(|_| Reply::Silence);
    let answer = ask(&Home::at(&server), &["status", "-n", ""]);
    assert_eq!(answer.stdout, ":4\n");
    // A single request may take thirty.
    assert!(answer.took < Duration::from_secs(15), "{answer:?}");
    let nowhere = ask(&Home::empty(), &["status", "-n", ""]);
    assert_eq!(nowhere.stdout, ":4\n");
}

#[test]
fn nobody_is_asked_to_log_in() {
    let server = server_of(&["alice"]);
    let home = Home::at(&server);
    let log = home.path().join("log");
    let login = home.script(
        "login",
        &format!(
            "echo 'open https://login in a browser' >&2\nread -r password && echo \"read $password\" >> {log}\n\
             echo \"$KUBERNETES_EXEC_INFO\" >> {log}\n\
             echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\", \"status\": {{\"token\": \"t\"}}}}'",
            log = log.display()
        ),
    );
    let authority = home.path().join("ca.pem");
    home.kubeconfig(&format!(
        "{{cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: {}}}, user: {{exec: {{apiVersion: \
         client.authentication.k8s.io/v1, command: {}, interactiveMode: IfAvailable}}}}}}",
        server.address.port(),
        authority.display(),
        login.display()
    ));
    // The plugin has been run, in time or not.
    let deadline = Instant::now() + Duration::from_mins(1);
    while !log.exists() {
        assert!(Instant::now() < deadline, "the credential plugin does not run");
        let mut session = spawn_command(asking(&home, &["status", "-n", ""]), Some(60_000)).unwrap();
        session.send_line("secret").unwrap();
        let shown = session.exp_eof().unwrap();
        assert!(!shown.contains("browser"), "{shown}");
    }
    let log = fs::read_to_string(&log).unwrap();
    assert!(log.contains("\"interactive\":false") && !log.contains("read"), "{log}");
}

/// A home with a folder as krew makes it: a link to the plugin is all that is in it.
fn installed() -> (Home, PathBuf) {
    let home = Home::empty();
    let bin = home.path().join(BIN);
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_kubectl-kubecoin"), bin.join("kubectl-kubecoin")).unwrap();
    (home, bin)
}

fn with_path(home: &Home, words: &str) -> Ended {
    finished(home.command(words).env("PATH", format!("{}:/usr/bin:/bin", home.path().join(BIN).display())))
}

#[test]
fn the_file_is_created_beside_the_link_and_deleted_again() {
    let (home, bin) = installed();
    let file = bin.join(FILE);
    let created = with_path(&home, "completion install");
    assert_eq!((created.code, created.stdout), (0, format!("{} created\n", file.display())), "{}", created.stderr);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(&bin).unwrap().count(), 2, "nothing else is left there");
    let again = with_path(&home, "completion install");
    assert_eq!((again.code, again.stdout), (0, format!("{} unchanged\n", file.display())));
    // It is a program that kubectl runs with the words of the line.
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let answer = finished(Command::new(&file).args(["stat"]).env_clear().env("PATH", &path));
    assert_eq!(answer.stdout, "status\tShow the exchange's objects and whether they are healthy\n:4\n", "{answer:?}");
    // The plugin goes, and the file stays until somebody deletes it.
    fs::remove_file(bin.join("kubectl-kubecoin")).unwrap();
    let silent = finished(Command::new(&file).args(["stat"]).env_clear().env("PATH", &path));
    assert_eq!((silent.code, silent.stdout.as_str(), silent.stderr.as_str()), (0, "", ""));
    let deleted = with_path(&home, "completion uninstall");
    assert_eq!((deleted.code, deleted.stdout), (0, format!("{} deleted\n", file.display())));
    let nothing = with_path(&home, "completion uninstall");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, ""));
    assert!(nothing.stderr.contains("nothing was deleted"), "{}", nothing.stderr);
}

#[test]
fn what_somebody_else_created_stays() {
    let (home, bin) = installed();
    let file = bin.join(FILE);
    home.script(&format!("{BIN}/{FILE}"), "echo mine");
    with_path(&home, "completion install").could_not_run("this plugin did not create it; nothing was changed");
    let kept = with_path(&home, "completion uninstall");
    assert!(kept.code == 0 && kept.stderr.contains("it stays"), "{kept:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "#!/bin/sh\necho mine\n");
}

#[test]
fn the_folder_is_one_that_kubectl_looks_in() {
    let (home, bin) = installed();
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let refused = |folder: &str, why: &str| {
        with_path(&home, &format!("completion install --folder {folder}")).could_not_run(why);
    };
    refused(elsewhere.to_str().unwrap(), "is not in PATH");
    refused("/no/such/folder", "there is no folder /no/such/folder");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    let given = with_path(&home, &format!("completion install --folder {}", bin.display()));
    assert_eq!(given.stdout, format!("{} created\n", bin.join(FILE).display()), "{given:?}");
    fs::remove_file(bin.join("kubectl-kubecoin")).unwrap();
    with_path(&home, "completion install").could_not_run("kubectl-kubecoin is in no folder of PATH");
}

#[test]
fn bash_breaks_words_and_gets_the_rest_of_them() {
    let home = Home::empty();
    let contexts = ["arn:aws:eks:one", "arn:aws:eks:two"].map(|name| json!({ "name": name, "context": {} }));
    home.write(".kube/config", &json!({ "apiVersion": "v1", "kind": "Config", "contexts": contexts }).to_string());
    let bash = |words: &[&str], index: usize| {
        let mut command = home.command("-- kubectl-kubecoin");
        command.args(words).env("KUBECOIN_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index.to_string());
        finished(&mut command).stdout
    };
    assert_eq!(bash(&["deploy", "--dry-run", "=", "c"], 4), "client");
    assert_eq!(bash(&["status", "--context", "arn", ":", "aws", ":", "e"], 7), "eks:one\u{b}eks:two");
    // The cursor stands in the midst of the line.
    assert_eq!(bash(&["stat", "--output", "json"], 1), "status");
}
