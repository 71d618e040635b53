//! Saved cases: each is judged as it was. A folder has the id of the finding that comes first, and more words where there are
//! several of one id. `TRYCMD=overwrite` writes what is expected again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/findings");

/// How `doctor` judges a case, without a kubeconfig.
fn judge(words: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kubecoin"));
    command.arg("doctor").args(words).current_dir(folder).env_clear().output().unwrap()
}

fn folders() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

#[test]
fn each_saved_case_is_judged_as_before() {
    let mut failures = Vec::new();
    for folder in folders() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let judged = judge(&["--from", "case.json"], &folder);
        let (shown, stderr) = [judged.stdout, judged.stderr].map(|text| String::from_utf8(text).unwrap()).into();
        let id = if name == "healthy" { "doctor: nothing is wrong" } else { name.split('-').next().unwrap() };
        let expected = folder.join("expected.txt");
        if std::env::var("TRYCMD").is_ok_and(|mode| mode == "overwrite") {
            fs::write(&expected, &shown).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        if !shown.starts_with(id) || shown != expected || !stderr.is_empty() {
            failures.push(format!("{name}: expected:\n{expected}\nshown:\n{shown}{stderr}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(folders().len() > 10, "there are cases of ten causes and more");
}

#[test]
fn a_case_can_come_by_stdin() {
    let folder = Path::new(CASES).join("healthy");
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kubecoin"));
    let stdin = fs::File::open(folder.join("case.json")).unwrap();
    let judged = command.args(["doctor", "--from", "-"]).env_clear().stdin(Stdio::from(stdin)).output().unwrap();
    let shown = String::from_utf8(judged.stdout).unwrap();
    assert!(judged.status.success() && shown.contains(" UTC from stdin)"), "{shown}");
}

#[test]
fn what_is_no_case_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let case = fs::read_to_string(Path::new(CASES).join("healthy/case.json")).unwrap();
    for (text, words) in [
        ("", "is not a case: it is not JSON"),
        ("{}", "is not a case: it is not a DoctorCase of "),
        (&case[..case.len() / 2], "is not a case: it is not JSON"),
        (&case.replace("v1alpha1\"", "v9\""), "is not a case: it is not a DoctorCase of "),
        (
            &case.replace("\"statefulset\"", "\"other\""),
            "is not a case: it is not complete: missing field `statefulset`",
        ),
    ] {
        fs::write(folder.path().join("case.json"), text).unwrap();
        let judged = judge(&["--from", "case.json"], folder.path());
        let stderr = String::from_utf8(judged.stderr).unwrap();
        assert_eq!((judged.status.code(), judged.stdout.len()), (Some(2), 0), "{stderr}");
        assert!(
            stderr.contains(words) && stderr.contains("hint: write one: kubectl kubecoin doctor --save "),
            "{stderr}"
        );
    }
    let judged = judge(&["--from", "nothing.json"], folder.path());
    assert!(String::from_utf8(judged.stderr).unwrap().contains("error: could not read nothing.json"));
    for other in [&["--save", "a"][..], &["--wait"], &["-A"]] {
        assert_eq!(
            judge(&[&["--from", "case.json"], other].concat(), folder.path()).status.code(),
            Some(2),
            "{other:?}"
        );
    }
}
