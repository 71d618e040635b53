//! A replicated database with more members and with fewer: the primary is never among those that go, and every row stays. And the way
//! of its rows from one server and back, which is none of scaling.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::docs::{OF_SEVERAL, markdown, page, shows_what_it_says};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, run};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// Longer than the claim of a primary lasts, and a member takes to come back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs the plugin with words that may have spaces. It must succeed.
fn with(namespace: &str, words: &[&str]) -> Ran {
    let ran: Ran = command(namespace, "").args(words).output().expect("the plugin starts").into();
    assert_eq!(ran.code, 0, "{words:?}: {}{}", ran.stdout, ran.stderr);
    ran
}

/// What SQL gives, asked of the primary.
fn sql(namespace: &str, statement: &str) -> String {
    with(namespace, &["psql", "-c", statement, "--", "-A", "-t", "-q"]).stdout.trim().to_owned()
}

/// The members that run, each with its role, once all so many follow one primary and one has every acknowledged row.
fn settled(namespace: &str, members: usize) -> Vec<(String, String)> {
    until("all members follow", PATIENCE, || {
        let status: Value = serde_json::from_str(&run(namespace, "status -o json").stdout).unwrap_or_default();
        let all = status["members"].as_array().cloned().unwrap_or_default();
        let running: Vec<&Value> = all.iter().filter(|member| member["replication"].is_object()).collect();
        let follows = |member: &&&Value| {
            let it = &member["replication"];
            (it["role"] == "primary" || it["state"] == "streaming")
                && it["timeline"] == running[0]["replication"]["timeline"]
        };
        let roles: Vec<(String, String)> = running.iter().filter(follows).map(|member| role(member)).collect();
        let is = |role: &str| roles.iter().filter(|(_, its)| its == role).count();
        let is_settled = roles.len() == members && is("primary") == 1 && is("synchronousStandby") == 1;
        if is_settled && status["healthy"] == true { Ok(roles) } else { Err(format!("{status:#}")) }
    })
}

fn role(member: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&member["pod"]), text(&member["replication"]["role"]))
}

fn of_role(members: &[(String, String)], role: &str) -> String {
    members.iter().find(|(_, its)| its == role).map(|(pod, _)| pod.clone()).unwrap_or_default()
}

/// The primary is made one of the last two members: those that go. The role goes to the standby with every row, so Patroni is told for
/// a while to take none of the first three as that.
fn primary_goes(namespace: &str) -> String {
    let goes = |pod: &str| ["postgres-3", "postgres-4"].contains(&pod);
    tell_the_first(namespace, "echo 'tags: {nosync: true}' >/tmp/patroni/3-tags.yml");
    let primary = until("one of the last members is the primary", PATIENCE, || {
        let members = settled(namespace, 5);
        let primary = of_role(&members, "primary");
        if goes(&primary) {
            return Ok(primary);
        }
        let standby = of_role(&members, "synchronousStandby");
        if goes(&standby) {
            run(namespace, &format!("switchover --to {standby}"));
        }
        Err(format!("{members:?}"))
    });
    tell_the_first(namespace, "rm /tmp/patroni/3-tags.yml");
    primary
}

/// Changes the settings of each of the first three members, and lets its Patroni read them.
fn tell_the_first(namespace: &str, change: &str) {
    for number in 0..3 {
        let pod = format!("postgres-{number}");
        let told = kubectl::command(
            &["exec", "-i", "-n", namespace, &pod, "--", "sh", "-e"],
            &format!("{change}\nkill -HUP 1\n"),
        );
        assert!(told.succeeded, "{told:?}");
    }
}

#[test]
fn members_come_and_go_and_every_row_stays() {
    let scene = Scene::without_namespace("kc-plugin-scaling");
    let namespace = scene.namespace();
    ends(namespace, "deploy --ha --replicas 5 --init-db --create-namespace --timeout 4m", 0);
    let primary = primary_goes(namespace);
    sql(namespace, "INSERT INTO wallets (id) SELECT 'before-' || i FROM generate_series(1, 1000) i");

    let files = ends(namespace, "manifests --ha --replicas 3", 2);
    assert!(files.stderr.contains("would remove 2 of them at once"), "{}", files.stderr);
    let would = ends(namespace, "deploy --ha --replicas 3 --dry-run=server", 0);
    for words in [
        format!("pod/{primary} is the primary: before it goes, another member takes its place"),
        "would go, one after another: pod/postgres-4, pod/postgres-3; their claims are kept".to_owned(),
    ] {
        assert!(would.stderr.contains(&words), "{}", would.stderr);
    }
    assert_eq!(of_role(&settled(namespace, 5), "primary"), primary, "nothing was changed");

    let fewer = ends(namespace, "deploy --ha --replicas 3 --show-commands", 0);
    let shown = &fewer.stderr;
    assert!(fewer.stdout.contains(&format!("is the primary now, instead of pod/{primary}")), "{}{shown}", fewer.stdout);
    for words in
        ["patronictl -c /tmp/patroni switchover postgres --force --candidate", "'--replicas=4'", "'--replicas=3'"]
    {
        assert!(shown.contains(words), "{shown}");
    }
    for number in [3, 4] {
        let delete = format!("kubectl delete persistentvolumeclaim data-postgres-{number} -n {namespace}");
        assert!(
            shown.contains(&format!("data-postgres-{number} is kept, with its data")) && shown.contains(&delete),
            "{shown}"
        );
    }
    let members = settled(namespace, 3);
    assert_eq!(
        members.iter().map(|(pod, _)| pod.as_str()).collect::<Vec<_>>(),
        ["postgres-0", "postgres-1", "postgres-2"]
    );
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'before-%'"), "1000");
    let status = ends(namespace, "status", 0);
    assert!(status.stdout.contains("kept: data-postgres-3,data-postgres-4 of members"), "{}", status.stdout);
    let well = ends(namespace, "doctor", 0);
    assert!(well.stdout.contains("doctor: nothing is wrong"), "{}", well.stdout);
    let same = ends(namespace, "deploy --ha", 0);
    assert!(same.stdout.contains("statefulset.apps/postgres unchanged"), "{}", same.stdout);

    // What was written meanwhile gets to the kept claims, and what was on them is not lost either.
    sql(namespace, "INSERT INTO wallets (id) SELECT 'after-' || i FROM generate_series(1, 1000) i");
    let claim = |number: u32| kubectl::field(&format!("pvc/data-postgres-{number} -n {namespace}"), "/metadata/uid");
    let kept = [claim(3), claim(4)];
    ends(namespace, "deploy --ha --replicas 5 --timeout 4m", 0);
    settled(namespace, 5);
    assert_eq!([claim(3), claim(4)], kept);
    for member in ["postgres-3", "postgres-4"] {
        let read = ["psql", "--member", member, "-c", "SELECT count(*) FROM wallets", "--", "-A", "-t", "-q"];
        until("the member has every row", PATIENCE, || {
            let rows = with(namespace, &read).stdout;
            if rows.trim() == "2000" { Ok(()) } else { Err(rows) }
        });
    }
}

/// How the rows are compared.
const ALL: &str = "SELECT count(*), md5(string_agg(wallets::text, ',' ORDER BY id)) FROM wallets";

/// A command of kubectl that a hint names, typed. Gives its stdout.
fn typed(hint: &str, begins: &str) -> String {
    let all = hint.split("; ").filter_map(|part| part.split_once(": "));
    let line = all.map(|(_, line)| line.trim()).find(|line| line.starts_with(begins));
    let line = line.unwrap_or_else(|| panic!("no {begins:?} in {hint}"));
    let words = shlex::split(line).unwrap();
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let ended = kubectl::command(&words, "");
    assert!(ended.succeeded, "{line}: {}", ended.stderr);
    ended.stdout
}

#[test]
fn rows_get_from_one_server_to_three_and_back_as_the_refusal_says() {
    let one = Scene::without_namespace("kc-plugin-scaling-one");
    let three = Scene::without_namespace("kc-plugin-scaling-three");
    let (one, three) = (one.namespace(), three.namespace());
    ends(one, "deploy --init-db --storage dynamic --create-namespace --timeout 4m", 0);
    sql(one, "INSERT INTO wallets (id, coins) SELECT 'w' || i, i / 3.0 FROM generate_series(1, 1000) i");
    let rows = sql(one, ALL);

    let refused = ends(one, "deploy --ha --replicas 3", 2);
    assert!(refused.stderr.contains("which cannot be changed to a replicated one"), "{}", refused.stderr);
    for words in
        ["kubectl kubecoin deploy --ha --init-db --create-namespace -n NAME", "psql -f rows.sql -n NAME -- -1 -v"]
    {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    ok(&format!("scale deployment/backend --replicas=0 -n {one}"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display().to_string();
    let read = ["psql", "-f", &path, "--", "-1", "-v", "ON_ERROR_STOP=1"];
    fs::write(&path, typed(&refused.stderr, "kubectl exec postgres-0")).unwrap();
    ends(three, "deploy --ha --init-db --create-namespace --timeout 4m", 0);
    with(three, &read);
    assert_eq!(sql(three, ALL), rows);
    settled(three, 3);

    sql(three, "UPDATE wallets SET coins = coins + 1");
    let refused = ends(three, "deploy", 2);
    assert!(refused.stderr.contains("which cannot be changed to one server"), "{}", refused.stderr);
    fs::write(&path, typed(&refused.stderr, "kubectl exec postgres-")).unwrap();
    with(one, &read);
    assert_eq!(sql(one, ALL), sql(three, ALL));
    ok(&format!("scale deployment/backend --replicas=1 -n {one}"));
    ok(&format!("rollout status deployment/backend -n {one} --timeout=60s"));
    ends(one, "doctor", 0);
}

/// The namespace is the one that the page names.
#[test]
fn the_chapter_on_a_database_of_three_shows_what_it_says() {
    let _scene = Scene::without_namespace("trio");
    let (chapter, _) = markdown::chapter(&page("docs/lesson.md"), OF_SEVERAL);
    let run = shows_what_it_says(&markdown::blocks(&chapter));
    assert!(run > 5, "only {run} blocks were found");
}
