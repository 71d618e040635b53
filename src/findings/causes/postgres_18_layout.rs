use super::crash_loop;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight, pods};

/// Images of PostgreSQL from 18 on keep their data elsewhere, and refuse the old mount.
pub static CAUSE: Cause = Cause {
    id: "KC037",
    slug: "postgres-18-layout",
    title: "The image keeps its data in another directory",
    text: include_str!("postgres_18_layout.md"),
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
            says: format!("refuses its volume, as images of PostgreSQL 18 and later do: {line}"),
            hint: observed
                .by_hand
                .own("deploy --force-conflicts")
                .to("go back to the image and the directory of the lesson"),
        });
        finding.collect()
    },
};

/// Whether a line of the log tells of it: the image's own words, of which the end of a log may have the second alone.
fn tells(line: &str) -> bool {
    line.contains("in 18+, these Docker images are configured") || line.contains("(unused mount/volume)")
}
