//! What `doctor` and `dns-check` say, as programs read it.

use serde::Deserialize;

use super::place::Place;
use crate::support::plugin::run;

/// All of it.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub findings: Vec<Finding>,
}

/// A finding without what it brings about.
#[derive(Debug, Deserialize)]
pub struct Finding {
    pub code: String,
    pub weight: String,
    pub object: String,
    pub says: String,
    pub hint: String,
}

impl Report {
    /// Asks it.
    pub fn of(place: Place) -> Self {
        Self::by(place, "")
    }

    /// Asks it with these flags.
    pub fn by(place: Place, flags: &str) -> Self {
        Self::said(place, &format!("doctor -o json {flags}"))
    }

    /// Asks `dns-check`.
    pub fn of_names(place: Place) -> Self {
        Self::said(place, "dns-check -o json")
    }

    fn said(place: Place, words: &str) -> Self {
        let ran = run(place.namespace, words);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{words}: {}{}", ran.stdout, ran.stderr))
    }

    /// The codes of what is wrong, each once.
    pub fn causes(&self) -> Vec<&str> {
        self.of_weights(&["problem", "notYet"])
    }

    /// The codes of all that was found.
    pub fn codes(&self) -> Vec<&str> {
        self.of_weights(&["problem", "notYet", "warning", "ongoing", "info"])
    }

    /// Whether nothing is wrong, nor going to be.
    pub fn is_quiet(&self) -> bool {
        self.of_weights(&["problem", "notYet", "warning"]).is_empty()
    }

    fn of_weights(&self, weights: &[&str]) -> Vec<&str> {
        let found = self.findings.iter().filter(|it| weights.contains(&it.weight.as_str()));
        let mut codes: Vec<&str> = found.map(|it| it.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// What was found, in a line.
    pub fn line(&self) -> String {
        let lines: Vec<String> = self
            .findings
            .iter()
            .map(|it| format!("{} ({}): {} {} [hint: {}]", it.code, it.weight, it.object, it.says, it.hint))
            .collect();
        if lines.is_empty() { "nothing".to_owned() } else { lines.join("; ") }
    }
}
