//! The runs of the lesson's experiments that the plugin shows where there is no room for one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::command;
use crate::process;

/// The questions whose experiments need room beside the exchange.
const QUESTIONS: [u8; 3] = [1, 2, 4];

/// How many marked rows a recorded run keeps: they are in the program.
const ROWS: u64 = 3;

/// Answers each question on the exchange that is there, and writes its report into a folder.
pub fn record(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let reports = tempfile::tempdir()?;
    for question in QUESTIONS {
        let (number, report) = (question.to_string(), reports.path().join(format!("{question}.json")));
        let line = ["kubecoin", "lesson", &number, "--no-predict", "--yes", "--report", &report.to_string_lossy()];
        let ended = process::step(&format!("lesson {number}"), || Ok(command("kubectl", &line)?.output()?))?;
        ensure!(ended.status.success(), "lesson {number} fails:\n{}", String::from_utf8_lossy(&ended.stderr));
        let mut report: Value = serde_json::from_str(&fs::read_to_string(&report)?)?;
        shorten(&mut report, &number);
        let path = folder.join(format!("{number}.json"));
        fs::write(&path, report.to_string() + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What is shown of a run elsewhere is its evidence: neither where it was, nor all of its rows.
fn shorten(report: &mut Value, number: &str) {
    report["asked"] = format!("kubectl kubecoin lesson {number}").into();
    report["byHand"] = json!([]);
    report["context"] = "example".into();
    report["address"] = "https://127.0.0.1:6443".into();
    let setting = &mut report["setting"];
    setting["nodes"] = json!({});
    setting["images"] = json!({ "state": "notAsked" });
    // A row more or less would change what a writer has acknowledged.
    if number == "1" {
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
