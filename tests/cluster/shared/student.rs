//! The student of a class on one cluster: the role `edit` in one namespace, Pod Security `restricted`, a quota and dynamic
//! storage, and no right to see volumes, nodes or other namespaces.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::class::{enrolled, quota_counts};
use crate::support::kubectl::{self, ok};
use crate::support::page::{Opened, get};
use crate::support::plugin::{PROGRAM, Ran};
use crate::support::scene::Scene;
use crate::support::wait::until;

const NAMESPACE: &str = "kc-plugin-student";

const QUOTA: &str = "
apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: kc-plugin-student}
spec:
  hard: {pods: '3', requests.cpu: '1', requests.memory: 1Gi, limits.cpu: '4', limits.memory: 2Gi,
    persistentvolumeclaims: '1', requests.storage: 1Gi, services.nodeports: '0'}
";

/// The student, with a kubeconfig as a teacher hands it out: a token, and the namespace in the context.
struct Student {
    kubeconfig: PathBuf,
    _folder: TempDir,
}

impl Student {
    fn enrolled() -> Self {
        enrolled(NAMESPACE);
        kubectl::apply(QUOTA);
        quota_counts(NAMESPACE, "3");
        let token = ok(&format!("create token student -n {NAMESPACE}"));
        let mut config: Value = serde_json::from_str(&ok("config view --raw --minify --flatten -o json")).unwrap();
        config["users"] = json!([{ "name": "student", "user": { "token": token.trim() } }]);
        let cluster = config["clusters"][0]["name"].clone();
        let context = json!({ "cluster": cluster, "user": "student", "namespace": NAMESPACE });
        config["contexts"] = json!([{ "name": "class", "context": context }]);
        config["current-context"] = "class".into();
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("config");
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        Self { kubeconfig, _folder: folder }
    }

    /// The plugin, as the student has it.
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words.split_whitespace()).env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null());
        command
    }

    /// Runs it, which must end with this exit code.
    fn ends(&self, words: &str, code: i32) -> Ran {
        let ran = Ran::from(self.command(words).output().expect("the plugin starts"));
        assert_eq!(ran.code, code, "{words}\n{}{}", ran.stdout, ran.stderr);
        ran
    }
}

#[test]
fn the_student_of_a_class_gets_everything_to_work() {
    let _scene = Scene::without_namespace(NAMESPACE);
    let student = Student::enrolled();
    let nothing = student.ends("", 0);
    assert!(nothing.stdout.contains("kc-plugin-student on class: no exchange yet"), "{}", nothing.stdout);
    let nothing = student.ends("init-db", 2);
    assert!(nothing.stderr.contains("hint: deploy the exchange first"), "{}", nothing.stderr);

    // The server's own words on what the quota leaves out, before anything is made; and what helps.
    let refused = student.ends("deploy", 2);
    assert!(refused.stderr.contains("exceeded quota: small"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("hint: deploy with --service-type") && refused.stderr.contains("ClusterIP"),
        "{}",
        refused.stderr
    );
    let refused = student.ends("deploy --storage static --node node-1 --service-type ClusterIP", 2);
    assert!(refused.stderr.contains("cannot patch resource \"persistentvolumes\""), "{}", refused.stderr);
    assert!(refused.stderr.contains("violates PodSecurity"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: let the cluster create the volume"), "{}", refused.stderr);
    assert_eq!(ok(&format!("get all,pvc,secret -n {NAMESPACE} -o name")), "", "nothing was made");

    let deployed = student.ends("deploy --init-db --service-type ClusterIP --timeout 4m", 0);
    assert!(deployed.stderr.contains("you may not create PersistentVolumes"), "{}", deployed.stderr);
    assert!(deployed.stderr.contains("the exchange works"), "{}", deployed.stderr);
    let again = student.ends("deploy --service-type ClusterIP", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
    let table = student.ends("init-db", 0);
    assert_eq!(table.stdout, "table wallets exists (0 rows)\nindex idx_wallets_id exists\n");

    // All of it is seen but the volume, and that is said.
    let status = student.ends("status", 0);
    assert!(status.stdout.contains("chain: postgres-0 → postgres-pvc → pvc-"), "{}", status.stdout);
    assert!(status.stdout.contains("database: reachable, table wallets with 0 rows"), "{}", status.stdout);
    let status: Value = serde_json::from_str(&student.ends("status -o json", 0).stdout).unwrap();
    let findings = status["findings"].as_array().unwrap();
    assert_eq!((findings.len(), &findings[0]["code"]), (1, &"not-permitted".into()), "{findings:?}");
    assert!(findings[0]["object"].as_str().unwrap().starts_with("persistentvolume/pvc-"), "{findings:?}");
    let names = student.ends("dns-check --wait", 0);
    assert!(names.stdout.contains("all names are right"), "{}", names.stdout);
    let everywhere = student.ends("status -A", 2);
    assert!(everywhere.stderr.contains("could not list statefulsets of all namespaces"), "{}", everywhere.stderr);
    assert!(everywhere.stderr.contains("hint: "), "{}", everywhere.stderr);

    let counted = student.ends("psql -c SELECT/**/count(*)/**/FROM/**/wallets -- -A -t", 0);
    assert_eq!(counted.stdout, "0\n");
    let yaml = student.ends("manifests --from-cluster", 0).stdout;
    assert!(yaml.contains("type: ClusterIP") && !yaml.contains("kind: PersistentVolume\n"), "{yaml}");
    let opened = Opened::start(student.command("open --no-browser"));
    assert!(get(&opened.address).unwrap().contains("<div id=\"root\">"));
    opened.ends();
    rotates(&student);

    // A quota that has become too small for a pod shows in no pod.
    let quota = json!({ "spec": { "hard": { "pods": "1" } } }).to_string();
    let patched = kubectl::command(&["patch", "quota", "small", "-n", NAMESPACE, "--type=merge", "-p", &quota], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    ok(&format!("delete pods -l app=backend -n {NAMESPACE} --wait=false"));
    ok(&format!("delete pod postgres-0 -n {NAMESPACE}"));
    until("what is refused is said", Duration::from_mins(1), || {
        let status = student.ends("status --no-db", 1);
        let said = |object: &str| {
            let mut lines = status.stdout.lines();
            lines.any(|line| {
                line.contains(&format!("{object} cannot create its pod")) && line.contains("exceeded quota")
            })
        };
        if said("statefulset/postgres") && said("deployment/backend") { Ok(()) } else { Err(status.stdout) }
    });
}

/// The quota has no room for a second backend, without which no rollout ends: said before PostgreSQL has another password.
fn rotates(student: &Student) {
    let secrets = || ok(&format!("get secrets -n {NAMESPACE} -o name"));
    let before = secrets();
    let refused = student.ends("rotate-password --new", 2);
    assert!(refused.stderr.contains("exceeded quota: small"), "{}", refused.stderr);
    let helps = format!("kubectl scale deployment/backend '--replicas=0' -n {NAMESPACE}");
    assert!(refused.stderr.contains(&helps), "{}", refused.stderr);
    assert_eq!(secrets(), before);
    student.ends("status", 0);

    ok(&format!("scale deployment/backend --replicas=0 -n {NAMESPACE}"));
    student.ends("rotate-password --new", 0);
    ok(&format!("scale deployment/backend --replicas=1 -n {NAMESPACE}"));
    student.ends("status --wait --timeout 2m", 0);
    assert_ne!(secrets(), before);
}
