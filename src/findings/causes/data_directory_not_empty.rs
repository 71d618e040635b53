use super::crash_loop;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight, pods};

/// The directory in which a database is to be created holds something else.
pub static CAUSE: Cause = Cause {
    id: "KC035",
    slug: "data-directory-not-empty",
    title: "The data directory is not empty, and has no database",
    text: include_str!("data_directory_not_empty.md"),
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
            says: format!("cannot create its database: {line}"),
            hint: observed.by_hand.own("deploy --force-conflicts").to("restore PGDATA, a subdirectory of the volume"),
        });
        finding.collect()
    },
};

/// Whether a line of the log tells of it: initdb's own words.
fn tells(line: &str) -> bool {
    line.contains("initdb: error: directory") && line.contains("exists but is not empty")
}
