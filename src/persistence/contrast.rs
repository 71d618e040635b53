//! Level 1 for contrast: a Deployment without a volume that went through the same steps, what that shows, and the lesson's
//! table of both levels, filled with what was measured.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::evidence::{Cycle, Moment};
use super::identity::ClaimSeen;
use super::rows::{self, Difference};
use super::verdict::{Check, Holds, check, words};
use crate::observe::Reading;
use crate::text::seconds;

/// What was recorded of Level 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contrast {
    /// The Service of Level 1.
    pub service: ServiceSeen,
    /// The headless Service of Level 2, for the table.
    pub headless: Reading<ServiceSeen>,
    /// How many rows were to be written.
    pub marked: u32,
    /// When the end of its pod was asked for, by this machine's clock.
    pub asked_at: Timestamp,
    /// Everything before.
    pub before: Moment,
    /// Everything after; absent if no query was answered in time.
    pub after: Reading<Moment>,
    /// How long no query was answered in its pod, in milliseconds since it was asked for.
    pub downtime_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSeen {
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its virtual address, as the API has it: `None` if it is headless.
    pub address: String,
}

impl From<&Service> for ServiceSeen {
    fn from(service: &Service) -> Self {
        let spec = service.spec.clone().unwrap_or_default();
        Self {
            name: service.name_any(),
            kind: spec.type_.unwrap_or_default(),
            address: spec.cluster_ip.unwrap_or_default(),
        }
    }
}

impl ServiceSeen {
    fn words(&self) -> String {
        match self.address.as_str() {
            "None" => "headless (clusterIP None)".to_owned(),
            address => format!("{} {address}", self.kind),
        }
    }
}

/// Judges it: it holds if, and only if, the rows were there, and went with their pod. None if it was not asked for.
#[must_use]
pub fn judge(contrast: &Reading<Contrast>) -> Option<Check> {
    const NAME: &str = "contrast";
    match contrast {
        Reading::NotAsked => None,
        Reading::Present(contrast) => {
            let (holds, says) = judged(contrast);
            Some(check(NAME, holds, says))
        }
        Reading::Unknown(reason) => Some(check(NAME, Holds::Unknown, words(reason))),
        Reading::Absent => Some(check(NAME, Holds::Unknown, "it was not created")),
    }
}

fn judged(contrast: &Contrast) -> (Holds, String) {
    let written = contrast.before.rows.present().map_or(0, Vec::len);
    let after = match &contrast.after {
        _ if written == 0 || written != contrast.marked as usize => {
            return (Holds::Unknown, format!("{written} rows were there before, of {} written", contrast.marked));
        }
        Reading::Present(after) => after,
        Reading::Unknown(reason) => return (Holds::Unknown, words(reason).to_owned()),
        Reading::Absent | Reading::NotAsked => return (Holds::Unknown, "no query was answered in time".to_owned()),
    };
    let (old, new) = (&contrast.before.identity, &after.identity);
    let (pod, system) = (&new.pod.name, &new.server.system);
    match left(contrast) {
        _ if old.pod.uid == new.pod.uid => (Holds::Unknown, format!("pod/{pod} was not replaced")),
        None => (Holds::Unknown, "its rows could not be read after".to_owned()),
        Some(1..) if !matches!(new.claim, Reading::Absent) => {
            (Holds::Unknown, format!("pod/{pod} has a claim, which is not Level 1"))
        }
        Some(left @ 1..) => {
            (Holds::No, format!("{left} of {written} rows are still there, although they are on no volume"))
        }
        Some(0) if system.is_empty() || old.server.system.is_empty() => {
            (Holds::Unknown, "system identifier could not be read".to_owned())
        }
        Some(0) if *system == old.server.system => {
            (Holds::No, format!("the rows are gone, but not the database with system identifier {system}"))
        }
        Some(0) => {
            let says = "were lost with their pod, and the next one started with an empty database";
            (Holds::Yes, format!("without a volume, all {written} rows {says}"))
        }
    }
}

/// How many of Level 1's rows are still there, in whatever state. None if it is not known.
fn left(contrast: &Contrast) -> Option<usize> {
    let before = contrast.before.rows.present()?;
    match &contrast.after.present()?.rows {
        Reading::Absent => Some(0),
        Reading::Present(after) => {
            let Difference { same, updated, altered, .. } = rows::compare(before.iter(), after.iter());
            Some(same.len() + updated.len() + altered.len())
        }
        _ => None,
    }
}

/// A line of the table: what it is of, Level 1 and Level 2.
pub type Line = [String; 3];

/// The lesson's table of both levels, beside what a replacement of Level 2 has shown.
#[must_use]
pub fn table(contrast: &Contrast, cycle: &Cycle) -> Vec<Line> {
    let own = cycle.marked_before().count();
    let headless = contrast.headless.present().map_or_else(unknown, ServiceSeen::words);
    let written = contrast.before.rows.present().map_or(0, Vec::len);
    let (pod_1, pod_2) = (&contrast.before.identity.pod, &cycle.before.identity.pod);
    [
        ("kind", "Deployment".to_owned(), "StatefulSet".to_owned()),
        ("Service", contrast.service.words(), headless),
        ("pod before", pod_1.name.clone(), pod_2.name.clone()),
        ("pod after", pod_after(&contrast.after), pod_after(&cycle.after)),
        ("storage", storage(&contrast.before), storage(&cycle.before)),
        ("rows before", written.to_string(), own.to_string()),
        ("rows after", count(left(contrast)), count(kept(cycle))),
        ("data", fate(written, left(contrast)), fate(own, kept(cycle))),
        ("downtime", time(contrast.downtime_ms), time(cycle.downtime_ms())),
    ]
    .map(|(what, level_1, level_2)| [what.to_owned(), level_1, level_2])
    .into()
}

fn unknown() -> String {
    "not known".to_owned()
}

fn pod_after(after: &Reading<Moment>) -> String {
    after.present().map_or_else(unknown, |after| after.identity.pod.name.clone())
}

fn storage(moment: &Moment) -> String {
    match &moment.identity.claim {
        Reading::Present(ClaimSeen { name, volume: Some(volume), .. }) => format!("{name} → {volume}"),
        Reading::Present(ClaimSeen { name, .. }) => name.clone(),
        Reading::Absent => "the pod's own (emptyDir)".to_owned(),
        _ => unknown(),
    }
}

/// How many of Level 2's marked rows are there as they were. None if it is not known.
fn kept(cycle: &Cycle) -> Option<usize> {
    match &cycle.after.present()?.rows {
        Reading::Absent => Some(0),
        Reading::Present(after) => Some(rows::compare(cycle.marked_before(), after.iter()).same.len()),
        _ => None,
    }
}

fn count(rows: Option<usize>) -> String {
    rows.map_or_else(unknown, |rows| rows.to_string())
}

fn fate(written: usize, left: Option<usize>) -> String {
    match left {
        None => unknown(),
        Some(0) => "lost".to_owned(),
        Some(left) if left == written => "there".to_owned(),
        Some(left) => format!("{left} of {written} there"),
    }
}

fn time(ms: Option<u64>) -> String {
    ms.map_or_else(unknown, seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observe::Reason;
    use crate::persistence::tests::healthy;

    /// As it should be: that many rows written, and a new and empty database after.
    fn shown(rows: usize) -> Contrast {
        let cycle = healthy(0, rows);
        let Reading::Present(after) = cycle.after else { panic!("it came back") };
        let (mut before, mut after) = (cycle.before, after);
        for (moment, name) in
            [(&mut before, "postgres-level-1-0123abcd-a"), (&mut after, "postgres-level-1-0123abcd-b")]
        {
            moment.identity.pod.name = name.into();
            moment.identity.claim = Reading::Absent;
            moment.identity.volume = Reading::NotAsked;
        }
        after.identity.server.system = "7400000000000000002".into();
        after.rows = Reading::Absent;
        let service = |name: &str, address: &str| ServiceSeen {
            name: name.into(),
            kind: "ClusterIP".into(),
            address: address.into(),
        };
        Contrast {
            service: service("postgres-level-1-0123abcd", "10.96.0.7"),
            headless: Reading::Present(service("postgres-headless", "None")),
            marked: rows.try_into().unwrap(),
            asked_at: cycle.asked_at,
            before,
            after: Reading::Present(after),
            downtime_ms: Some(2500),
        }
    }

    fn after(contrast: &mut Contrast) -> &mut Moment {
        let Reading::Present(after) = &mut contrast.after else { panic!("it came back") };
        after
    }

    fn judged_with(change: impl FnOnce(&mut Contrast)) -> Check {
        let mut contrast = shown(5);
        change(&mut contrast);
        judge(&Reading::Present(contrast)).unwrap()
    }

    #[test]
    fn rows_that_go_with_their_pod_are_the_contrast() {
        let verdict = judged_with(|_| {});
        assert_eq!(verdict.holds, Holds::Yes, "{verdict:?}");
        assert!(verdict.evidence.contains("all 5 rows were lost with their pod"), "{verdict:?}");
        // Also where others have made the table anew.
        assert_eq!(judged_with(|it| after(it).rows = Reading::Present(vec![])).holds, Holds::Yes);
        assert_eq!(judge(&Reading::NotAsked), None);
    }

    #[test]
    fn a_contrast_that_is_none_is_said() {
        let stays = judged_with(|it| after(it).rows = it.before.rows.clone());
        assert_eq!(
            (stays.holds, stays.evidence.contains("5 of 5 rows are still there")),
            (Holds::No, true),
            "{stays:?}"
        );
        let same_database = judged_with(|it| {
            let system = it.before.identity.server.system.clone();
            after(it).identity.server.system = system;
        });
        assert_eq!(same_database.holds, Holds::No, "{same_database:?}");
    }

    #[test]
    fn what_shows_nothing_is_not_known() {
        let failed = || Reason::Failed("exceeded quota: small".into());
        for change in [
            (|it| it.before.rows = Reading::Absent) as fn(&mut Contrast),
            |it| it.marked = 6,
            |it| it.after = Reading::Absent,
            |it| it.after = Reading::Unknown(Reason::Failed("x".into())),
            |it| after(it).identity.pod.uid = "old".into(),
            |it| after(it).rows = Reading::Unknown(Reason::Failed("x".into())),
            |it| after(it).identity.server.system = String::new(),
            |it| {
                after(it).rows = it.before.rows.clone();
                after(it).identity.claim = Reading::NotAsked;
            },
        ] {
            let verdict = judged_with(change);
            assert_eq!(verdict.holds, Holds::Unknown, "{verdict:?}");
        }
        let not_made = judge(&Reading::Unknown(failed())).unwrap();
        assert_eq!((not_made.holds, not_made.evidence.as_str()), (Holds::Unknown, "exceeded quota: small"));
        assert_eq!(judge(&Reading::Absent).unwrap().holds, Holds::Unknown);
    }

    #[test]
    fn the_table_has_what_was_measured() {
        let lines = |contrast: &Contrast, cycle: &Cycle| {
            table(contrast, cycle).iter().map(|line| line.join(" | ")).collect::<Vec<_>>()
        };
        assert_eq!(
            lines(&shown(5), &healthy(3, 5)),
            [
                "kind | Deployment | StatefulSet",
                "Service | ClusterIP 10.96.0.7 | headless (clusterIP None)",
                "pod before | postgres-level-1-0123abcd-a | postgres-0",
                "pod after | postgres-level-1-0123abcd-b | postgres-0",
                "storage | the pod's own (emptyDir) | postgres-pvc → pv",
                "rows before | 5 | 5",
                "rows after | 0 | 5",
                "data | lost | there",
                "downtime | 2.500 s | 0.029 s",
            ]
        );
        // The truth where it is bad: Level 1 keeps its rows, and Level 2 loses some of its own.
        let mut stays = shown(5);
        after(&mut stays).rows = stays.before.rows.clone();
        stays.headless = Reading::Unknown(Reason::Forbidden("no".into()));
        let mut loses = healthy(3, 5);
        let Reading::Present(Moment { rows: Reading::Present(rows), .. }) = &mut loses.after else { panic!("rows") };
        rows.pop();
        let told = lines(&stays, &loses);
        assert!(told.contains(&"data | there | 4 of 5 there".to_owned()), "{told:#?}");
        assert!(told[1].ends_with("| not known"), "{told:#?}");
        loses.after = Reading::Absent;
        assert!(lines(&stays, &loses).contains(&"rows after | 5 | not known".to_owned()));
    }

    proptest! {
        #[test]
        fn no_contrast_holds_with_a_row_of_level_1_left(rows in 1..40_usize, at in any::<prop::sample::Index>(), altered: bool) {
            let mut contrast = shown(rows);
            let mut row = contrast.before.rows.present().unwrap()[at.index(rows)].clone();
            if altered {
                row.sum = "altered".into();
            }
            after(&mut contrast).rows = Reading::Present(vec![row]);
            prop_assert_eq!(judge(&Reading::Present(contrast)).unwrap().holds, Holds::No);
        }
    }
}
