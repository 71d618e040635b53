//! The runs of the lesson's experiments that the plugin shows where there is no room for one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::command;
use crate::process;

/// The experiments that need room beside the exchange, as `lesson` is asked for them; each with its file.
const EXPERIMENTS: [(&str, &str); 4] =
    [("1", "1.json"), ("2", "2.json"), ("2 --without-guards", "2-without-guards.json"), ("4", "4.json")];

/// How many marked rows a recorded run keeps: they are in the program.
const ROWS: u64 = 3;

/// Answers each question on the exchange that is there, and writes its report into a folder.
pub fn record(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let reports = tempfile::tempdir()?;
    for (asked, name) in EXPERIMENTS {
        let report = reports.path().join(name);
        let mut line: Vec<&str> = ["kubecoin", "lesson"].into_iter().chain(asked.split(' ')).collect();
        let to = report.to_string_lossy();
        line.extend(["--no-predict", "--yes", "--report", &to]);
        let ended = process::step(&format!("lesson {asked}"), || Ok(command("kubectl", &line)?.output()?))?;
        ensure!(ended.status.success(), "lesson {asked} fails:\n{}", String::from_utf8_lossy(&ended.stderr));
        let mut report: Value = serde_json::from_str(&fs::read_to_string(&report)?)?;
        shorten(&mut report, asked);
        let path = folder.join(name);
        fs::write(&path, report.to_string() + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What is shown of a run elsewhere is its evidence: neither where it was, nor all of its rows.
fn shorten(report: &mut Value, asked: &str) {
    report["asked"] = format!("kubectl kubecoin lesson {asked}").into();
    report["byHand"] = json!([]);
    report["context"] = "example".into();
    report["address"] = "https://127.0.0.1:6443".into();
    let setting = &mut report["setting"];
    setting["nodes"] = json!({});
    setting["images"] = json!({ "state": "notAsked" });
    // A row more or less would change what a writer has acknowledged.
    if asked == "1" {
        keep_few(&mut report["evidence"]);
    }
}

/// Keeps the first marked rows.
fn keep_few(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("marked", number) => *number = ROWS.into(),
                    ("rows", Value::Object(reading)) => {
                        let Some(rows) = reading.get_mut("value").and_then(Value::as_array_mut) else { continue };
                        rows.retain(|row| number(&row["id"]).is_none_or(|number| number <= ROWS));
                    }
                    (_, value) => keep_few(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(keep_few),
        _ => {}
    }
}

/// The number of a marked row; none of another one.
fn number(id: &Value) -> Option<u64> {
    id.as_str()?.rsplit_once('-')?.1.parse().ok()
}
