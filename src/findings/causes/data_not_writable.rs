use super::crash_loop;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight, pods};

/// PostgreSQL may not write to its volume, or does not own its files.
pub static CAUSE: Cause = Cause {
    id: "KC034",
    slug: "data-not-writable",
    title: "PostgreSQL may not write its data directory",
    text: include_str!("data_not_writable.md"),
    explains: &crash_loop::AND_WHAT_IT_EXPLAINS,
    needs: &[Need::Logs(pods::ended_runs)],
    mend: None,
    judge: |observed| {
        let told = pods::database_says(observed, tells).into_iter();
        let finding = told.map(|(pod, line)| Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: pods::reference(pod),
            says: format!("may not write to its volume: {line}"),
            hint: observed
                .by_hand
                .kubectl("get statefulset postgres -o yaml")
                .to("see its securityContext and its volume")
                .and(observed.by_hand.own("deploy --force-conflicts").to("restore what the lesson has")),
        });
        finding.collect()
    },
};

/// Whether a line of the log tells of it. The image also says that it may not change a mode, and goes on.
fn tells(line: &str) -> bool {
    let is_denied = ["Permission denied", "Operation not permitted", "Read-only file system"].iter();
    let of_data = line.contains(VOLUME) && !line.starts_with("chmod:");
    let of_files = line.contains(OWN_FILES);
    (of_data || of_files) && is_denied.clone().any(|words| line.contains(words))
        || line.contains("data directory")
            && ["has wrong ownership", "has invalid permissions"].iter().any(|words| line.contains(words))
}

/// Where images of PostgreSQL keep their data.
const VOLUME: &str = "/var/lib/postgresql";

/// A file of the data directory, as the server names it.
const OWN_FILES: &str = "\"global/pg_control\"";
