//! The kubectl commands that `--show-commands` prints, pasted into a shell with a real kubectl.

use std::process::{Command, Output};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kubectl_kubecoin::inside::{Act, Apply, Create, DeletePod, Object, Patch, Place, Scale, psql};
use serde_json::{Value, json};

use crate::support::deployed::{field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, ends};
use crate::support::scene::Scene;

/// The commands in what was printed, each with the text that it reads.
fn commands(stderr: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut reads = false;
    for line in stderr.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            reads = command.contains("<<");
            commands.push(command.to_owned());
        } else if reads && let Some(command) = commands.last_mut() {
            reads = line != "EOF";
            command.push('\n');
            command.push_str(line);
        }
    }
    commands
}

fn pasted(script: &str) -> Output {
    Command::new("bash").args(["-c", script]).output().unwrap()
}

/// Pastes it, which must succeed, and gives what it printed.
fn works(script: &str) -> String {
    let output = pasted(script);
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Pastes everything that a command has shown, for another namespace.
fn repeated(shown: &Ran, from: &Scene, to: &Scene) -> String {
    // Reads of what is not there yet fail, as they do for a person. What is read into a variable is used.
    let is_act =
        |command: &String| !command.contains(" get ") || command.contains(" get --raw ") || command.starts_with("p=$(");
    let script: Vec<_> = commands(&shown.stderr).into_iter().filter(is_act).collect();
    assert!(!script.is_empty(), "{}", shown.stderr);
    works(&format!("set -e\n{}", script.join("\n").replace(from.namespace(), to.namespace())))
}

#[test]
fn pasted_commands_deploy_an_exchange_too() {
    let shown = Scene::without_namespace("kc-plugin-shown");
    let copied = Scene::without_namespace("kc-plugin-pasted");
    let applied = ends(shown.namespace(), "deploy --create-namespace --wait=false --show-commands", 0);
    repeated(&applied, &shown, &copied);
    let kinds = |namespace: &str| ok(&format!("get statefulset,deployment,service,pvc,secret -n {namespace} -o name"));
    assert_eq!(kinds(copied.namespace()), kinds(shown.namespace()));
    for scene in [&shown, &copied] {
        ends(scene.namespace(), "status --wait --no-db --timeout 3m", 0);
    }
    let secret = |scene: &Scene| field(scene.namespace(), "secret/postgres-credentials", "/data/password");
    assert!(!secret(&copied).is_empty());
    assert_ne!(secret(&copied), secret(&shown), "each has a password of its own");

    // What runs in the pod: the description of the database, and the making of the table.
    let made = ends(shown.namespace(), "init-db --show-commands", 0);
    let described = repeated(&made, &shown, &copied);
    assert!(described.contains("\nnull\n") && described.ends_with("\n0\n"), "{described}");
    assert_eq!(sql(copied.namespace(), "SELECT count(*) FROM wallets;"), "0");

    // Reads too, and the request through the page.
    let again = ends(shown.namespace(), "deploy --show-commands", 0);
    let all = commands(&again.stderr);
    assert_eq!(all.iter().filter(|command| command.contains("\nkind: ")).count(), 8, "{all:#?}");
    for command in all.iter().filter(|command| command.contains(" get ")) {
        works(&command.replace(shown.namespace(), copied.namespace()));
    }
    let looked = ends(shown.namespace(), "doctor --show-commands", 0);
    let looks = commands(&looked.stderr);
    for read in ["nodes,storageclasses", "poddisruptionbudgets,networkpolicies", "k8s-app=kube-dns"] {
        assert!(looks.iter().any(|command| command.contains(read)), "{read}: {looks:#?}");
    }
    for command in looks.iter().filter(|command| command.contains(" get ") || command.ends_with(" version")) {
        works(command);
    }
    let info = works(all.last().unwrap());
    assert!(info.contains("\"wallets_table\":true"), "{info}");
    ends(copied.namespace(), "deploy", 0);

    acts_of_their_own(shown.namespace());
    rotated_and_taken_away(&shown, &copied);
}

/// A new password, and then the end of it all. No command goes on for ever.
fn rotated_and_taken_away(shown: &Scene, copied: &Scene) {
    let rotated = ends(shown.namespace(), "rotate-password --new --show-commands", 0);
    repeated(&rotated, shown, copied);
    let used = "/spec/template/spec/containers/0/env/4/valueFrom/secretKeyRef/name";
    let secret = |scene: &Scene| field(scene.namespace(), "deployment/backend", used);
    assert!(secret(copied).starts_with("postgres-credentials-"), "{}", secret(copied));
    assert_eq!(secret(copied), secret(shown));
    let nothing = ends(copied.namespace(), "rotate-password", 0);
    assert!(!nothing.stdout.contains("ALTER ROLE"), "{}", nothing.stdout);

    let away = ends(shown.namespace(), "teardown --delete-data --yes --show-commands", 0);
    repeated(&away, shown, copied);
    let nothing = ends(copied.namespace(), "teardown --delete-data --yes", 0);
    assert!(nothing.stdout.contains("there is no exchange"), "{}", nothing.stdout);
}

/// The acts that need a moment of their own: with a precondition, or of what is to be mended.
fn acts_of_their_own(namespace: &str) {
    let flags: Vec<String> = vec!["--context".to_owned(), "kubecoin".to_owned()];
    let place = Place { namespace: namespace.to_owned(), flags, ..Place::default() };
    let shows = |act: &dyn Fn(&Place) -> String| act(&place);

    let text = "quotes ' and \" and $HOME and `id` and \\ and\nEOF\n a line";
    let map = |data: Value| -> Object {
        let value = json!({ "metadata": { "name": "pasted", "namespace": namespace }, "data": data });
        Object::of(&serde_json::from_value::<ConfigMap>(value).unwrap()).unwrap()
    };
    let create = Create { object: map(json!({ "text": text })), hidden: None, dry_run: false };
    works(&shows(&|place| create.kubectl(place)));
    assert_eq!(field(namespace, "configmap/pasted", "/data/text"), text);
    assert!(!pasted(&shows(&|place| create.kubectl(place))).status.success(), "it exists already");
    let apply = Apply { object: map(json!({ "text": "other", "more": text })), force: false, dry_run: false };
    let refused = pasted(&shows(&|place| apply.kubectl(place)));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("conflict"), "{refused:?}");
    works(&shows(&|place| Apply { dry_run: true, force: true, ..apply.clone() }.kubectl(place)));
    assert_eq!(field(namespace, "configmap/pasted", "/data/text"), text, "a dry run changes nothing");
    works(&shows(&|place| Apply { force: true, ..apply.clone() }.kubectl(place)));
    assert_eq!(field(namespace, "configmap/pasted", "/data/more"), text);
    let patch = |version: &str| {
        let body = json!({ "metadata": { "resourceVersion": version }, "data": { "text": text, "more": null } });
        Patch { object: Object { body, ..map(json!({})) } }.kubectl(&place)
    };
    assert!(!pasted(&patch("1")).status.success(), "a version that is over");
    works(&patch(&field(namespace, "configmap/pasted", "/metadata/resourceVersion")));
    assert_eq!(field(namespace, "configmap/pasted", "/data"), json!({ "text": text }).to_string());

    // The password that PostgreSQL takes is the Secret's again; who comes over the network, is asked for it.
    let asks = psql::over_network("postgres-0", "SELECT 'taken';").kubectl(&place);
    sql(namespace, "ALTER ROLE postgres PASSWORD 'another';");
    assert_eq!(pasted(&asks).status.code(), Some(2), "the password is refused");
    works(&psql::alter_password("postgres-0").kubectl(&place));
    assert_eq!(works(&asks).trim(), "taken");

    let set: StatefulSet =
        serde_json::from_value(kubectl::get(&format!("statefulset/postgres -n {namespace}")).unwrap()).unwrap();
    for replicas in [0, 1] {
        works(&Scale { object: Object::of(&set).unwrap(), uid: set.metadata.uid.clone(), replicas }.kubectl(&place));
        assert_eq!(field(namespace, "statefulset/postgres", "/spec/replicas"), replicas.to_string());
    }
    ends(namespace, "status --wait --no-db --timeout 3m", 0);

    // Of two pods of one name, exactly the one that is meant.
    let uid = field(namespace, "pod/postgres-0", "/metadata/uid");
    let delete =
        |uid: &str| DeletePod { name: "postgres-0".to_owned(), uid: uid.to_owned(), grace: None }.kubectl(&place);
    let refused = pasted(&delete("00000000-0000-0000-0000-000000000000"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("UID in the precondition"), "{refused:?}");
    assert_eq!(field(namespace, "pod/postgres-0", "/metadata/deletionTimestamp"), "");
    works(&delete(&uid));
    let pod = kubectl::get(&format!("pod/postgres-0 -n {namespace}"));
    assert!(pod.is_none_or(|pod| pod["metadata"]["uid"] != uid || pod["metadata"]["deletionTimestamp"].is_string()));
}
