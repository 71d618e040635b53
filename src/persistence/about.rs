//! What a report says beside its evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::setting::Setting;

/// What was asked, where and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// When it was written.
    pub at: Timestamp,
    /// What was asked: the command, without what may hold a secret.
    pub asked: String,
    /// The context's name.
    pub context: String,
    /// The API server's address.
    pub address: String,
    pub namespace: String,
    /// What it took place on.
    pub setting: Setting,
    /// The kubectl commands that do the same by hand, those of the first replacement.
    pub by_hand: Vec<String>,
}
