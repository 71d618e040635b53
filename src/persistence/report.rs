//! A report: what was asked, where and when, and the evidence. Whoever has it can judge again, without a cluster.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::contrast::{self, Contrast};
use super::evidence::{Data, DataAsked, Evidence, Moment};
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
    pub evidence: Evidence,
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
        anyhow::ensure!(!report.evidence.turns.is_empty(), "there is no evidence in it");
        Ok(report)
    }

    /// The verdict.
    #[must_use]
    pub fn judge(&self) -> Verdict {
        verdict::judge(&self.evidence)
    }

    /// What Level 1 shows beside it; none if it was not asked for.
    #[must_use]
    pub fn contrast(&self) -> Option<Check> {
        contrast::judge(&self.contrast)
    }
}

/// The same evidence with one thing changed that must be the same, and what that is. None if there is nothing of the kind.
#[must_use]
pub fn with_something_changed(evidence: &Evidence) -> Option<(Evidence, String)> {
    match evidence.data {
        DataAsked::Postgres { .. } => with_a_row_removed(evidence),
        DataAsked::None | DataAsked::Output { .. } => with_another_identity(evidence),
    }
}

fn with_a_row_removed(evidence: &Evidence) -> Option<(Evidence, String)> {
    let mut other = evidence.clone();
    for (turn, changed) in evidence.turns.iter().zip(&mut other.turns) {
        let expected: Vec<&str> =
            evidence.marked_before(turn).chain(evidence.users_before(turn)).map(|row| row.id.as_str()).collect();
        let database = match (&mut changed.takeover, &mut changed.after) {
            (Reading::Present(takeover), _) => &mut takeover.database,
            (_, Reading::Present(Moment { data: Data::Postgres(database), .. })) => &mut **database,
            _ => continue,
        };
        let Reading::Present(rows) = &mut database.rows else { continue };
        if let Some(at) = rows.iter().position(|row| expected.contains(&row.id.as_str())) {
            let removed = rows.remove(at);
            return Some((other, format!("without row {}", removed.id)));
        }
    }
    None
}

fn with_another_identity(evidence: &Evidence) -> Option<(Evidence, String)> {
    let mut other = evidence.clone();
    let after = other.turns.iter_mut().find_map(|turn| match &mut turn.after {
        Reading::Present(after) => Some(after),
        _ => None,
    })?;
    let claim = after.claims.iter_mut().find_map(|claimed| match &mut claimed.claim {
        Reading::Present(claim) => Some(claim),
        _ => None,
    });
    let what = if let Some(claim) = claim {
        claim.uid.push('0');
        format!("with another uid of pvc/{}", claim.name)
    } else if let Data::Output(Reading::Present(output)) = &mut after.data {
        output.sha256.push('0');
        format!("with other data in pod/{}", after.pod.name)
    } else {
        let name = std::mem::replace(&mut after.pod.name, "another".to_owned());
        format!("with another name of pod/{name}")
    };
    Some((other, what))
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
        assert_eq!(back.judge().holds, Holds::Yes);
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
        let (other, what) = with_something_changed(&healthy(3, 5)).unwrap();
        assert!(what.starts_with("without row "), "{what}");
        assert_eq!(verdict::judge(&other).holds, Holds::No, "{what}");
        assert_eq!(with_something_changed(&healthy(0, 0)), None);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let text = report().text().unwrap();
        let nothing = Report { evidence: Evidence { turns: vec![], ..report().evidence }, ..report() }.text().unwrap();
        for wrong in ["", "{}", "[1]", &text.replace(KIND, "Status"), &text.replace("v1alpha1", "v9"), &nothing] {
            assert!(Report::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Report::parse(&text.replace("\"inode\"", "\"other\"")).is_err());
    }
}
