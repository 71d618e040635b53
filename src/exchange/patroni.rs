//! Patroni in a pod of a replicated database, which decides who the primary is.

use std::time::Duration;

use super::names;
use crate::kubernetes::act::Exec;

/// Where a member's settings are, as the manifest starts it.
pub const SETTINGS: &str = "/tmp/patroni";

/// What is said of a switch that was done.
pub const SWITCHED: &str = "Successfully switched over";

/// Longer than a primary may take to shut down, and another one to take its place.
const LIMIT: Duration = Duration::from_secs(90);

/// Makes another member the primary: this one, or the one that Patroni chooses. Asked in a member's pod.
#[must_use]
pub fn switchover(pod: &str, to: Option<&str>) -> Exec {
    let words = ["patronictl", "-c", SETTINGS, "switchover", names::POSTGRES, "--force"];
    let candidate = to.into_iter().flat_map(|to| ["--candidate", to]);
    Exec {
        pod: pod.to_owned(),
        container: names::POSTGRES,
        command: words.into_iter().chain(candidate).map(str::to_owned).collect(),
        stdin: String::new(),
        limit: LIMIT,
    }
}
