//! The least rights: `docs/security.md` says which ones each command needs, and what it says without one of them. Each line is
//! tried by a user who has all of the others.

use std::io::{BufRead as _, BufReader, pipe};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::docs::{markdown, page};
use crate::support::kubectl::{self, ok};
use crate::support::page::get;
use crate::support::plugin::PROGRAM;
use crate::support::rights::{Granted, PAGE, Right, Rights, of_page, of_role};
use crate::support::scene::Scene;

/// Has an exchange.
const DEPLOYED: &str = "kc-rights";
/// Is empty, and stays so.
const EMPTY: &str = "kc-rights-empty";
/// Is one in which an exchange cannot start, and a Deployment has left a `ReplicaSet` behind: it has `STUCK_BY`.
const STUCK: &str = "kc-rights-stuck";
/// Does not exist.
const MISSING: &str = "kc-rights-missing";

/// Has all rights of the page.
const OWNER: &str = "kc-rights-owner";

const STUCK_BY: &str = "
apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: kc-rights-stuck}
spec: {hard: {pods: '2'}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: postgres-pvc, namespace: kc-rights-stuck}
spec: {storageClassName: missing, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Secret
metadata:
  name: postgres-credentials
  namespace: kc-rights-stuck
  labels: {app.kubernetes.io/part-of: kubecoin}
stringData: {username: postgres, password: secret}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: frontend-orphan
  namespace: kc-rights-stuck
  labels: {app: frontend, app.kubernetes.io/part-of: kubecoin}
spec:
  replicas: 0
  selector: {matchLabels: {app: orphan}}
  template: {metadata: {labels: {app: orphan}}, spec: {containers: [{name: orphan, image: orphan}]}}
";

/// A line of the page, for one right.
struct Line {
    right: Right,
    /// The first command that needs it.
    command: String,
    /// What that says without the right; or with it, and not without it.
    says: String,
    only_with_it: bool,
}

/// The lines of a table of the page, in their order.
fn lines(heading: &str) -> Vec<Line> {
    let rows = markdown::table(&page(PAGE), heading);
    let lines = rows.iter().flat_map(|row| {
        let [verbs, resources, commands, says] = &row[..] else { panic!("four columns: {row:?}") };
        let rights = markdown::code(resources).into_iter().flat_map(move |resource| {
            verbs.split(", ").map(|verb| Right { verb: verb.to_owned(), resource: resource.to_owned() })
        });
        rights.map(move |right| {
            let (name, _) = right.resource.split_once('.').unwrap_or((&right.resource, ""));
            Line {
                command: markdown::code(commands)[0].to_owned(),
                says: markdown::code(says)[0]
                    .replace("VERB", &right.verb)
                    .replace("RESOURCE", name)
                    .replace("NAMESPACE", MISSING),
                only_with_it: says.starts_with("does not say: "),
                right,
            }
        })
    });
    lines.collect()
}

impl Line {
    fn is_of_teardown(&self) -> bool {
        self.command.starts_with("teardown")
    }

    /// Where the command shows what it needs.
    fn namespace(&self) -> &'static str {
        match (self.command.as_str(), self.right.resource.as_str()) {
            (_, "resourcequotas" | "events" | "replicasets.apps") | ("teardown --delete-data", "secrets") => STUCK,
            ("deploy --create-namespace", _) => MISSING,
            ("deploy" | "deploy --network-policy" | "status --wait", _) => EMPTY,
            _ => DEPLOYED,
        }
    }

    /// What makes the command short, and lets it ask nobody.
    fn flags(&self) -> &'static str {
        match self.command.as_str() {
            // Whether a watch is allowed counts only where there is something to wait for.
            "deploy" | "deploy --create-namespace" | "deploy --network-policy" if self.right.verb != "watch" => {
                "--dry-run=server"
            }
            "status --wait" => "--timeout 1m",
            "open" => "--no-browser",
            "psql" => "-c select",
            command if command.starts_with("persistence-demo") => "--yes --rows 5 --timeout 1m",
            command if command.starts_with("exercise") => "--variant 1 --yes --timeout 1m",
            command if command.starts_with("teardown") => "--yes --timeout 1m",
            _ => "",
        }
    }

    /// Fails unless it says what the page says.
    fn check(&self, user: &str) {
        let Self { right: Right { verb, resource }, command, says, only_with_it } = self;
        let words = format!("{command} {}", self.flags());
        if command.starts_with("exercise") {
            // It starts in a healthy exchange alone, whatever other commands have begun.
            succeeds("status --wait --timeout 2m");
        }
        let (found, said) = run(user, self.namespace(), &words, says);
        assert!(found != *only_with_it, "`{command}` without {verb} {resource} is to say {says:?}, and says\n{said}");
        if *only_with_it {
            let (found, said) = run(OWNER, self.namespace(), &words, says);
            assert!(found, "`{command}` is to say {says:?}, and says\n{said}");
        }
    }
}

/// Runs a command as a user until it says these words, which ends it, or until its end. Gives whether it did, and all that it
/// said; a report too.
fn run(user: &str, namespace: &str, words: &str, until: &str) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (reader, writer) = pipe().expect("a pipe");
    let mut command = Command::new("timeout");
    // Else it passes the signal on twice: to the plugin, and to the group that it makes.
    command
        .args(["--foreground", "--signal=INT", "90", PROGRAM])
        .args(words.split_whitespace())
        .args(["-n", namespace, "--as", user]);
    command.current_dir(folder.path()).stdin(Stdio::null());
    command.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
    let mut child = command.spawn().expect("the plugin starts");
    // Else the pipe has no end.
    drop(command);
    let (mut found, mut said) = (false, String::new());
    for line in BufReader::new(reader).lines() {
        let line = line.expect("text");
        said = said + &line + "\n";
        if line.starts_with("http://") {
            thread::spawn(move || get(&line));
        }
        if !found && shows(&said, until) {
            found = true;
            kill(Pid::from_raw(child.id().try_into().expect("a process id")), Signal::SIGINT).expect("it runs");
        }
    }
    // Neither the time was over, nor did it panic: it left the words out.
    let ended = child.wait().expect("it ends").code();
    assert!(![Some(124), Some(101)].contains(&ended), "{words} ended with {ended:?}: {said}");
    for entry in folder.path().read_dir().expect("the folder") {
        said += &std::fs::read_to_string(entry.expect("an entry").path()).expect("a report");
    }
    (found || shows(&said, until), said)
}

/// Lines are broken where a terminal would end.
fn shows(said: &str, words: &str) -> bool {
    said.split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
}

/// Runs a command as a user who has all rights, which must succeed. Gives what it said.
fn succeeds(words: &str) -> String {
    let mut command = Command::new(PROGRAM);
    let folder = tempfile::tempdir().expect("a folder");
    command.args(words.split_whitespace()).args(["-n", DEPLOYED, "--as", OWNER]).current_dir(folder.path());
    let output = command.stdin(Stdio::null()).output().expect("the plugin starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    assert!(output.status.success(), "{words}\n{said}");
    said
}

/// The rights of two tables are those of the two roles: no right is without a line, and no line without a right.
fn same_in_yaml(lines: &[Line], rights: &Rights) {
    let told: Rights = lines.iter().map(|line| line.right.clone()).collect();
    assert_eq!(&told, rights);
    assert_eq!(told.len(), lines.len(), "a right has two lines");
}

/// A class needs no role of its own: `edit` has all of it, and nothing of what is the cluster's.
fn edit_is_enough(role: &Rights, cluster_role: &Rights) {
    let edit = of_role(&kubectl::get("clusterrole edit").expect("the role edit"));
    assert_eq!(role.difference(&edit).collect::<Vec<_>>(), Vec::<&Right>::new(), "edit lacks it");
    let has: Vec<_> = edit.intersection(cluster_role).filter(|right| right.resource != "namespaces").collect();
    assert_eq!(has, Vec::<&Right>::new(), "edit has it");
    let cluster = ["persistentvolumes", "nodes", "storageclasses.storage.k8s.io"];
    assert!(edit.iter().all(|right| !cluster.contains(&right.resource.as_str())));
    assert!(!edit.contains(&Right { verb: "create".to_owned(), resource: "namespaces".to_owned() }));
}

#[test]
fn without_any_right_of_the_page_a_command_says_what_the_page_says() {
    let (role, cluster_role) = (of_page("Role"), of_page("ClusterRole"));
    edit_is_enough(&role, &cluster_role);
    let of_role = lines("The least rights in a namespace");
    let of_cluster_role = lines("What the owner of a laptop needs too");
    same_in_yaml(&of_role, &role);
    same_in_yaml(&of_cluster_role, &cluster_role);

    let scenes = [DEPLOYED, EMPTY, STUCK].map(Scene::without_namespace);
    for scene in &scenes {
        ok(&format!("create namespace {}", scene.namespace()));
    }
    kubectl::apply(STUCK_BY);
    let mut granted = Granted::new(DEPLOYED);
    granted.give(OWNER, Some(DEPLOYED), &role);
    granted.give(OWNER, None, &cluster_role);
    let lines: Vec<(String, Line)> = of_role
        .into_iter()
        .chain(of_cluster_role)
        .enumerate()
        .map(|(number, line)| (format!("kc-rights-{number}"), line))
        .collect();
    for (user, line) in &lines {
        let others = role.union(&cluster_role).filter(|right| **right != line.right).cloned().collect();
        granted.give(user, None, &others);
    }
    for namespace in [EMPTY, STUCK] {
        granted.give(OWNER, Some(namespace), &role);
    }
    granted.apply();

    let check = |wanted: fn(&Line) -> bool| {
        lines.iter().filter(|(_, line)| wanted(line)).for_each(|(user, line)| line.check(user));
    };
    let said = thread::scope(|scope| {
        let elsewhere = scope.spawn(|| check(|line| line.namespace() != DEPLOYED));
        let said = everything();
        elsewhere.join().expect("what the page says");
        said
    });
    for (_, Line { command, says, .. }) in lines.iter().filter(|(_, line)| !line.only_with_it) {
        assert!(!shows(&said, says), "`{command}` says {says:?} with all rights");
    }
    check(|line| line.namespace() == DEPLOYED && !line.is_of_teardown());
    // Not before the lines on it: whoever may create it may do so once.
    succeeds("lesson 3 --no-predict");
    check(|line| line.namespace() == DEPLOYED && line.is_of_teardown());
}

/// Does everything that an exchange is there for, with all rights. Gives what was said.
fn everything() -> String {
    let commands = [
        "deploy --network-policy --init-db --timeout 3m",
        "status",
        "psql -c select",
        "dns-check --wait --from pod/postgres-0",
        "persistence-demo --yes --rows 5 --how evict --report proof.md",
        "rotate-password --new",
    ];
    commands.map(succeeds).concat()
}
