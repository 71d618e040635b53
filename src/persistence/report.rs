//! A report: what was asked, where and when, and the evidence. Whoever has it can judge again, without a cluster.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::contrast::{self, Contrast};
use super::evidence::Cycle;
use super::verdict::{self, Check, Verdict};
use crate::observe::Reading;
use crate::text::json;

/// The kind of the document.
pub const KIND: &str = "PersistenceReport";

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was asked, where and when.
    #[serde(flatten)]
    pub about: About,
    /// The evidence of each replacement.
    pub cycles: Vec<Cycle>,
    /// Level 1 beside it. It is in the document only if it was asked for.
    #[serde(default, skip_serializing_if = "is_not_asked")]
    pub contrast: Reading<Contrast>,
}

fn is_not_asked(contrast: &Reading<Contrast>) -> bool {
    matches!(contrast, Reading::NotAsked)
}

impl Report {
    /// As a document.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn text(&self) -> anyhow::Result<String> {
        json::text(KIND, self)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// If it is not one, or of another version.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let report: Self = json::parse(KIND, text)?;
        anyhow::ensure!(!report.cycles.is_empty(), "there is no evidence in it");
        Ok(report)
    }

    /// The verdict on each replacement.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.cycles.iter().map(verdict::judge).collect()
    }

    /// What Level 1 shows beside it; none if it was not asked for.
    #[must_use]
    pub fn contrast(&self) -> Option<Check> {
        contrast::judge(&self.contrast)
    }

    /// The verdict over all of them.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.verdicts().into_iter().flat_map(|verdict| verdict.checks).collect())
    }
}

/// The same evidence with one row less that must be there. None if there is none to take away.
#[must_use]
pub fn with_a_row_removed(cycle: &Cycle) -> Option<(Cycle, String)> {
    let mut other = cycle.clone();
    let expected: Vec<String> = cycle.marked_before().chain(cycle.others_before()).map(|row| row.id.clone()).collect();
    let Reading::Present(after) = &mut other.after else { return None };
    let Reading::Present(rows) = &mut after.rows else { return None };
    let at = rows.iter().position(|row| expected.contains(&row.id))?;
    let removed = rows.remove(at);
    Some((other, removed.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Reason;
    use crate::persistence::tests::{healthy, report};
    use crate::persistence::verdict::Holds;

    #[test]
    fn it_is_read_back_and_judged_the_same() {
        let mut report = report();
        report.about.context = "c\u{1b}[31m".into();
        let text = report.text().unwrap();
        assert!(!text.contains('\u{1b}'), "harmless to a terminal");
        let back = Report::parse(&text).unwrap();
        assert_eq!(back, report);
        assert_eq!(back.verdict().holds, Holds::Yes);
    }

    #[test]
    fn a_contrast_is_there_only_if_it_was_asked_for() {
        let text = report().text().unwrap();
        assert!(!text.contains("contrast"), "{text}");
        assert_eq!(report().contrast(), None);
        let refused = Reading::Unknown(Reason::Failed("exceeded quota".into()));
        let asked = Report { contrast: refused, ..report() };
        let back = Report::parse(&asked.text().unwrap()).unwrap();
        assert_eq!(back, asked);
        assert_eq!(back.contrast().unwrap().holds, Holds::Unknown);
    }

    #[test]
    fn it_can_say_no() {
        let (other, id) = with_a_row_removed(&healthy(3, 5)).unwrap();
        assert_eq!(verdict::judge(&other).holds, Holds::No, "without {id}");
        assert_eq!(with_a_row_removed(&healthy(0, 0)), None);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let text = report().text().unwrap();
        let nothing = Report { cycles: vec![], ..report() }.text().unwrap();
        for wrong in ["", "{}", "[1]", &text.replace(KIND, "Status"), &text.replace("v1alpha1", "v9"), &nothing] {
            assert!(Report::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Report::parse(&text.replace("\"inode\"", "\"other\"")).is_err());
    }
}
