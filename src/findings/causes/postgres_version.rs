use k8s_openapi::api::core::v1::Pod;

use super::crash_loop;
use crate::exchange::names;
use crate::exchange::settings::Images;
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::text::Hint;

/// The files on the volume are of another major version.
pub static CAUSE: Cause = Cause {
    id: "KC036",
    slug: "postgres-version",
    title: "The data is of another version of PostgreSQL",
    text: include_str!("postgres_version.md"),
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
            says: format!("cannot use its data, which another version has written: {line}"),
            hint: hint(observed, pod, line),
        });
        finding.collect()
    },
};

/// Whether a line of the log tells of it: the one that names both versions.
fn tells(line: &str) -> bool {
    line.contains(WROTE)
}

/// What the server says before the version that has written the data.
const WROTE: &str = "was initialized by PostgreSQL version ";

/// `deploy` replaces the pod that crashes, and takes no image that keeps its data elsewhere.
fn hint(observed: &Observed, pod: &Pod, line: &str) -> Hint {
    let by_hand = observed.by_hand;
    let after = line.split_once(WROTE).map(|(_, after)| after).unwrap_or_default();
    let version: String = after.chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
    let version = version.trim_end_matches('.');
    let image = format!("docker.io/library/postgres:{version}");
    let chosen = Images { postgres: Some(image.clone()), ..Images::default() };
    if chosen.check().is_err() {
        let set = ["set", "image", "statefulset/postgres", &format!("postgres={image}")];
        return (by_hand.kubectl(set).to("go back to the version that wrote the data"))
            .and(by_hand.kubectl(["delete", &pods::reference(pod)]).to("then let the StatefulSet create it again"));
    }
    by_hand.own(["deploy", "--postgres-image", &image]).to("go back to the version that wrote the data")
}
