//! The report on a set: where and when, and the evidence. Whoever has it can judge again, without a cluster.

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::verdict::{self, Judged};
use crate::observe::Reading;
use crate::persistence::about::About;
use crate::text::json;

/// The kind of the document.
pub const KIND: &str = "StatefulSetReport";

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was asked, where and when.
    #[serde(flatten)]
    pub about: About,
    pub evidence: Evidence,
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
    pub fn judge(&self) -> Judged {
        verdict::judge(&self.evidence)
    }
}

/// The same evidence with one thing changed that must be the same, and what that is. None if there is nothing of the kind.
#[must_use]
pub fn with_something_changed(evidence: &Evidence) -> Option<(Evidence, String)> {
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
    } else if let Reading::Present(data) = &mut after.data {
        data.sha256.push('0');
        format!("with other data in pod/{}", after.pod.name)
    } else {
        let name = std::mem::replace(&mut after.pod.name, "another".to_owned());
        format!("with another name of pod/{name}")
    };
    Some((other, what))
}
