//! `persistence-demo --report`: each form, of real runs, read by those whom it is for.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use quick_junit::{Report as Suites, TestCase, TestCaseStatus};
use serde_json::Value;

use crate::support::deployed::{deployed, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, ends, run};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// As the id of a wallet, which anybody may choose who opens the page.
const HOSTILE: &str = "<script>document.title='gone'</script>|`b`]]>";

/// The checks of a run as it printed them: the word, and the name.
fn checks(ran: &Ran) -> Vec<(&str, &str)> {
    let lines = ran.stdout.lines().skip_while(|line| *line != "proof").skip(1);
    let check = |line| str::strip_prefix(line, "  ").map(|line: &str| (line[..2].trim(), line[4..24].trim()));
    lines.map_while(check).collect()
}

pub(super) fn suites(file: &Path) -> Suites {
    Suites::deserialize_from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

pub(super) fn succeeded(case: &TestCase) -> bool {
    matches!(case.status, TestCaseStatus::Success { .. })
}

#[test]
fn each_form_says_what_the_run_has_shown() {
    let scene = deployed("kc-report");
    let namespace = scene.namespace();
    let insert = format!("INSERT INTO wallets(id) VALUES ('anna'), ('ben'), ('{}');", HOSTILE.replace('\'', "''"));
    sql(namespace, &insert);
    let folder = tempfile::tempdir().unwrap();
    let file = |ending: &str| folder.path().join(format!("proof.{ending}"));
    let files = ["html", "md", "json", "xml"].map(file);
    let [html, markdown, json, junit] = &files;

    for wrong in ["proof.pdf".to_owned(), "/nonexistent/proof.html".to_owned()] {
        let refused = ends(namespace, &format!("persistence-demo --yes --report {wrong}"), 2);
        assert_eq!(refused.stdout, "", "before anything is changed");
    }

    let flags = files.each_ref().map(|file| format!(" --report {}", file.display())).concat();
    let ran = ends(namespace, &format!("persistence-demo --yes --rows 5 --under-load{flags}"), 0);
    let checks = checks(&ran);
    assert!(checks.len() >= 10 && checks.iter().all(|(word, _)| *word == "ok"), "{}", ran.stdout);

    verified(namespace, json, &ran);
    complete(namespace, json, &flags);
    let suites = suites(junit);
    let [suite] = suites.test_suites.as_slice() else { panic!("one suite: {suites:?}") };
    let names: Vec<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, checks.iter().map(|(_, name)| *name).collect::<Vec<_>>());
    assert!(suite.test_cases.iter().all(succeeded), "{suite:?}");

    let text = fs::read_to_string(markdown).unwrap();
    assert!(text.contains("**verdict: holds**"), "{text}");
    for (_, name) in &checks {
        assert!(text.contains(&format!("\n| holds | {name} | ")), "no {name} in\n{text}");
    }
    assert!(text.contains("&lt;script&gt;") && !text.split("## By hand").next().unwrap().contains('<'), "{text}");
    in_chromium(html, "What outlives pod/postgres-0", HOSTILE);
}

/// The evidence is judged the same without a cluster.
fn verified(namespace: &str, json: &Path, ran: &Ran) {
    let again = ends(namespace, &format!("verify-report {} --kubeconfig /nonexistent", json.display()), 0);
    assert_eq!(checks(&again), checks(ran));
    assert!(again.stdout.contains("the same evidence does not hold"), "{}", again.stdout);
}

/// What was asked, and what it ran on, as the cluster says it.
fn complete(namespace: &str, json: &Path, flags: &str) {
    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let asked = format!("kubectl kubecoin persistence-demo --rows 5 --under-load{flags} --yes -n {namespace}");
    assert_eq!(report["asked"], asked.as_str());
    let setting = &report["setting"];
    let server: Value = serde_json::from_str(&ok("get --raw /version")).unwrap();
    assert_eq!(setting["server"]["value"], server["gitVersion"]);
    let node = report["evidence"]["turns"][0]["before"]["pod"]["node"].as_str().unwrap();
    let machine = &setting["nodes"][node]["value"];
    for (field, said) in
        [("kubelet", "kubeletVersion"), ("kernel", "kernelVersion"), ("runtime", "containerRuntimeVersion")]
    {
        let wanted = kubectl::field(&format!("node/{node}"), &format!("/status/nodeInfo/{said}"));
        assert_eq!(machine[field], wanted.as_str(), "{field}");
    }
    assert_eq!(setting["class"]["state"], "absent", "the lesson's claim has none");
    let images = setting["images"]["value"].as_array().unwrap();
    assert!(images.len() >= 3 && images.iter().all(|image| image["digest"].as_str().unwrap().contains("sha256:")));
    let by_hand: Vec<&str> = report["byHand"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for words in ["INSERT INTO public.wallets", "delete --raw", "logs postgres-0", "DELETE FROM public.wallets"] {
        assert!(by_hand.iter().any(|command| command.contains(words)), "no {words:?} in {by_hand:#?}");
    }
}

/// A page that holds is so for a browser too, and hostile text in its evidence is text there.
pub(super) fn in_chromium(html: &Path, title: &str, hostile: &str) {
    let python = env::var("KUBECOIN_PYTHON").expect("KUBECOIN_PYTHON is set: run this by `cargo xtask test`");
    let output = Command::new(python)
        .args(["-m", "pytest", "e2e/test_report.py"])
        .current_dir("app/tests")
        .env("KUBECOIN_REPORT", html)
        .env("KUBECOIN_REPORT_TITLE", title)
        .env("KUBECOIN_REPORT_TEXT", hostile)
        .output()
        .expect("pytest starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains(" passed"), "{shown}");
}

#[test]
fn what_does_not_hold_or_may_not_be_read_is_in_it() {
    let scene = deployed("kc-report-no");
    let namespace = scene.namespace();
    ok(&format!("create rolebinding student --clusterrole=edit --user=student -n {namespace}"));
    let folder = tempfile::tempdir().unwrap();
    let [markdown, json, junit] = ["proof.md", "proof.json", "proof.xml"].map(|name| folder.path().join(name));
    let files = [&markdown, &json, &junit].map(|file| format!(" --report {}", file.display())).concat();
    let words = format!("persistence-demo --yes --rows 5 --under-load --max-gap 0.001s --as student{files}");
    let ran = until("the binding counts", SOON, || {
        let ran = run(namespace, &words);
        if ran.code == 1 { Ok(ran) } else { Err(format!("{}{}", ran.stdout, ran.stderr)) }
    });
    assert!(checks(&ran).contains(&("NO", "gap under load")), "{}", ran.stdout);
    ends(namespace, &format!("verify-report {}", json.display()), 1);
    let suites = suites(&junit);
    assert_eq!((suites.failures, suites.errors), (1, 0));
    let failed: Vec<&TestCase> = suites.test_suites[0].test_cases.iter().filter(|case| !succeeded(case)).collect();
    assert_eq!(failed[0].name.as_str(), "gap under load");
    let text = fs::read_to_string(&markdown).unwrap();
    assert!(text.contains("**verdict: does not hold**") && text.contains("\n- gap under load: "), "{text}");
    let unread = text.lines().find(|line| line.starts_with("| node/")).unwrap_or_default();
    assert!(unread.contains("not known: you may not read it"), "{text}");
}
