//! Level 1 for contrast: a Deployment without a volume that went through the same steps, what that shows, and the lesson's
//! table of both levels, filled with what was measured.

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Moment, Turn};
use super::identity::ClaimSeen;
use super::rows::{self, Difference};
use super::timeline::Kind;
use super::verdict::{Check, CheckName, Holds, words};
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
    /// Its pod, from before it was stopped to after.
    pub turn: Turn,
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
    const NAME: CheckName = CheckName::Contrast;
    match contrast {
        Reading::NotAsked => None,
        Reading::Present(contrast) => {
            let (holds, says) = judged(contrast);
            Some(Check::new(NAME, holds, says))
        }
        Reading::Unknown(reason) => Some(Check::new(NAME, Holds::Unknown, words(reason))),
        Reading::Absent => Some(Check::new(NAME, Holds::Unknown, "it was not created")),
    }
}

/// How many rows there were before, and what was there after; or why nothing can be compared.
fn before_and_after(contrast: &Contrast) -> Result<(usize, &Moment), String> {
    let written = contrast.turn.before.rows().count();
    match &contrast.turn.after {
        _ if written == 0 || written != contrast.marked as usize => {
            Err(format!("{written} rows were there before, of {} written", contrast.marked))
        }
        Reading::Present(after) => Ok((written, after)),
        Reading::Unknown(reason) => Err(words(reason).to_owned()),
        Reading::Absent | Reading::NotAsked => Err("no query was answered in time".to_owned()),
    }
}

fn judged(contrast: &Contrast) -> (Holds, String) {
    let turn = &contrast.turn;
    let (written, after) = match before_and_after(contrast) {
        Ok(compared) => compared,
        Err(why) => return (Holds::Unknown, why),
    };
    let (old, pod) = (&turn.before.pod, &after.pod);
    let (before, now) = (system(&turn.before).unwrap_or_default(), system(after).unwrap_or_default());
    match left(turn) {
        _ if old.uid == pod.uid => (Holds::Unknown, format!("pod/{} was not replaced", pod.name)),
        None => (Holds::Unknown, "its rows could not be read after".to_owned()),
        Some(1..) if !after.claims.is_empty() => {
            (Holds::Unknown, format!("pod/{} has a claim, which is not Level 1", pod.name))
        }
        Some(left @ 1..) => {
            (Holds::No, format!("{left} of {written} rows are still there, although they are on no volume"))
        }
        Some(0) if now.is_empty() || before.is_empty() => {
            (Holds::Unknown, "system identifier could not be read".to_owned())
        }
        Some(0) if now == before => {
            (Holds::No, format!("the rows are gone, but not the database with system identifier {now}"))
        }
        Some(0) => {
            let says = "were lost with their pod, and the next one started with an empty database";
            (Holds::Yes, format!("without a volume, all {written} rows {says}"))
        }
    }
}

/// Judges a Deployment with a claim: it holds if, and only if, another pod has all rows, on the same claim.
#[must_use]
pub fn judge_with_claim(contrast: &Reading<Contrast>) -> Check {
    let (holds, says) = match contrast {
        Reading::Present(contrast) => judged_with_claim(contrast),
        Reading::Unknown(reason) => (Holds::Unknown, words(reason).to_owned()),
        Reading::Absent | Reading::NotAsked => (Holds::Unknown, "it was not created".to_owned()),
    };
    Check::new(CheckName::WithClaim, holds, says)
}

fn judged_with_claim(contrast: &Contrast) -> (Holds, String) {
    let turn = &contrast.turn;
    let (written, after) = match before_and_after(contrast) {
        Ok(compared) => compared,
        Err(why) => return (Holds::Unknown, why),
    };
    let (old, new) = (&turn.before.pod, &after.pod);
    let uid = |moment: &Moment| moment.claims.first().and_then(|claimed| Some(claimed.claim.present()?.uid.clone()));
    let (claim, same) = (uid(&turn.before), uid(&turn.before) == uid(after));
    let same_server = system(&turn.before).is_some_and(|before| system(after).as_ref() == Some(&before));
    match left(turn) {
        _ if old.uid == new.uid => (Holds::Unknown, format!("pod/{} was not replaced", new.name)),
        _ if turn.before.claims.is_empty() => (Holds::Unknown, format!("pod/{} has no claim", old.name)),
        _ if claim.is_none() => (Holds::Unknown, "its claim could not be read".to_owned()),
        None => (Holds::Unknown, "its rows could not be read after".to_owned()),
        Some(left) if left < written => {
            (Holds::No, format!("{left} of {written} rows are there, although they are on a claim"))
        }
        Some(_) if !same || !same_server => (Holds::No, "its rows are there, but not on the same claim".to_owned()),
        Some(_) => {
            let says = format!("with a claim, all {written} rows are there again");
            (Holds::Yes, format!("{says}, under another pod name: {}, then {}", old.name, new.name))
        }
    }
}

/// The system identifier of a database; none if it is not known.
fn system(moment: &Moment) -> Option<String> {
    moment.data.database().map(|database| database.server.system.clone()).filter(|system| !system.is_empty())
}

/// How many rows are still there. None if it is not known.
#[must_use]
pub fn rows_left(contrast: &Contrast) -> Option<usize> {
    left(&contrast.turn)
}

/// How many of Level 1's rows are still there, in whatever state. None if it is not known.
fn left(turn: &Turn) -> Option<usize> {
    match &turn.after.present()?.data.database()?.rows {
        Reading::Absent => Some(0),
        Reading::Present(after) => {
            let Difference { same, updated, altered, .. } = rows::compare(turn.before.rows(), after.iter());
            Some(same.len() + updated.len() + altered.len())
        }
        _ => None,
    }
}

/// What the lines of the table are of.
const LINES: [&str; 9] =
    ["kind", "Service", "pod before", "pod after", "storage", "rows before", "rows after", "data", "downtime"];

/// The lesson's table of both levels, beside what the last turn of Level 2 has shown: a column for each Deployment, and then one
/// for Level 2. Each line begins with what it is of.
#[must_use]
pub fn table(contrasts: &[&Contrast], evidence: &Evidence) -> Vec<Vec<String>> {
    let (Some(level_2), Some(first)) = (evidence.turns.last(), contrasts.first()) else { return Vec::new() };
    let own = evidence.marked_before(level_2).count();
    let headless = first.headless.present().map_or_else(unknown, ServiceSeen::words);
    let of_level_2 = column("StatefulSet", headless, level_2, (own, kept(evidence, level_2)));
    let columns: Vec<[String; 9]> = contrasts.iter().map(|contrast| of_level_1(contrast)).chain([of_level_2]).collect();
    let line = |(number, what): (usize, &&str)| {
        [(*what).to_owned()].into_iter().chain(columns.iter().map(|column| column[number].clone())).collect()
    };
    LINES.iter().enumerate().map(line).collect()
}

fn of_level_1(contrast: &Contrast) -> [String; 9] {
    let turn = &contrast.turn;
    column("Deployment", contrast.service.words(), turn, (turn.before.rows().count(), left(turn)))
}

/// What is told of one: its kind, its Service, its turn, how many rows it had, and how many are left.
fn column(kind: &str, service: String, turn: &Turn, (written, left): (usize, Option<usize>)) -> [String; 9] {
    [
        kind.to_owned(),
        service,
        turn.before.pod.name.clone(),
        pod_after(turn),
        storage(&turn.before),
        written.to_string(),
        count(left),
        fate(written, left),
        downtime(turn),
    ]
}

fn unknown() -> String {
    "not known".to_owned()
}

fn pod_after(turn: &Turn) -> String {
    turn.after.present().map_or_else(unknown, |after| after.pod.name.clone())
}

fn storage(moment: &Moment) -> String {
    let Some(claimed) = moment.claims.first() else { return "the pod's own (emptyDir)".to_owned() };
    match &claimed.claim {
        Reading::Present(ClaimSeen { name, volume: Some(volume), .. }) => format!("{name} → {volume}"),
        _ => claimed.name.clone(),
    }
}

/// How many of Level 2's marked rows are there as they were. None if it is not known.
fn kept(evidence: &Evidence, turn: &Turn) -> Option<usize> {
    match &turn.after.present()?.data.database()?.rows {
        Reading::Absent => Some(0),
        Reading::Present(after) => Some(rows::compare(evidence.marked_before(turn), after.iter()).same.len()),
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

fn downtime(turn: &Turn) -> String {
    turn.timeline.after_ms(Kind::Answered).map_or_else(unknown, seconds)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observe::Reason;
    use crate::persistence::evidence::Database;
    use crate::persistence::rows::Row;
    use crate::persistence::tests::{after as after_of, database as database_of, healthy};

    /// As it should be: that many rows written, and a new and empty database after.
    pub fn shown(rows: usize) -> Contrast {
        let mut turn = healthy(0, rows).turns.remove(0);
        let answered = turn.timeline.events.iter_mut().find(|event| event.kind == Kind::Answered);
        answered.unwrap().at_ms = 2501;
        let Reading::Present(after) = &mut turn.after else { panic!("it came back") };
        for (moment, name) in
            [(&mut turn.before, "postgres-level-1-0123abcd-a"), (after, "postgres-level-1-0123abcd-b")]
        {
            moment.pod.name = name.into();
            moment.claims.clear();
        }
        let mut contrast = Contrast {
            service: service("postgres-level-1-0123abcd", "10.96.0.7"),
            headless: Reading::Present(service("postgres-headless", "None")),
            marked: rows.try_into().unwrap(),
            turn,
        };
        let database = database(&mut contrast);
        database.server.system = "7400000000000000002".into();
        database.rows = Reading::Absent;
        contrast
    }

    /// As it should be with a claim: another pod, and all rows on the same claim.
    pub fn kept(rows: usize) -> Contrast {
        let mut contrast = shown(rows);
        let level_2 = healthy(0, rows).turns.remove(0);
        let Reading::Present(there) = level_2.after else { panic!("it came back") };
        contrast.turn.before.claims = level_2.before.claims;
        let now = after(&mut contrast);
        (now.claims, now.data) = (there.claims, there.data);
        contrast
    }

    fn service(name: &str, address: &str) -> ServiceSeen {
        ServiceSeen { name: name.into(), kind: "ClusterIP".into(), address: address.into() }
    }

    fn after(contrast: &mut Contrast) -> &mut Moment {
        after_of(&mut contrast.turn)
    }

    fn database(contrast: &mut Contrast) -> &mut Database {
        database_of(after(contrast))
    }

    fn rows_before(contrast: &Contrast) -> Reading<Vec<Row>> {
        contrast.turn.before.data.database().unwrap().rows.clone()
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
        // Also where others have created the table again.
        assert_eq!(judged_with(|it| database(it).rows = Reading::Present(vec![])).holds, Holds::Yes);
        assert_eq!(judge(&Reading::NotAsked), None);
    }

    #[test]
    fn a_contrast_that_is_none_is_said() {
        let stays = judged_with(|it| database(it).rows = rows_before(it));
        assert_eq!(
            (stays.holds, stays.evidence.contains("5 of 5 rows are still there")),
            (Holds::No, true),
            "{stays:?}"
        );
        let same_database = judged_with(|it| {
            let system = it.turn.before.data.database().unwrap().server.system.clone();
            database(it).server.system = system;
        });
        assert_eq!(same_database.holds, Holds::No, "{same_database:?}");
    }

    #[test]
    fn what_shows_nothing_is_not_known() {
        let failed = || Reason::Failed("exceeded quota: small".into());
        for change in [
            (|it| database_of(&mut it.turn.before).rows = Reading::Absent) as fn(&mut Contrast),
            |it| it.marked = 6,
            |it| it.turn.after = Reading::Absent,
            |it| it.turn.after = Reading::Unknown(Reason::Failed("x".into())),
            |it| after(it).pod.uid = "old".into(),
            |it| database(it).rows = Reading::Unknown(Reason::Failed("x".into())),
            |it| database(it).server.system = String::new(),
            |it| {
                database(it).rows = rows_before(it);
                after(it).claims = healthy(0, 0).turns[0].before.claims.clone();
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
        let lines = |contrast: &Contrast, evidence: &Evidence| {
            table(&[contrast], evidence).iter().map(|line| line.join(" | ")).collect::<Vec<_>>()
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
        database(&mut stays).rows = rows_before(&stays);
        stays.headless = Reading::Unknown(Reason::Forbidden("no".into()));
        let mut loses = healthy(3, 5);
        let Reading::Present(rows) = &mut database_of(after_of(&mut loses.turns[0])).rows else { panic!("rows") };
        rows.pop();
        let told = lines(&stays, &loses);
        assert!(told.contains(&"data | there | 4 of 5 there".to_owned()), "{told:#?}");
        assert!(told[1].ends_with("| not known"), "{told:#?}");
        loses.turns[0].after = Reading::Absent;
        assert!(lines(&stays, &loses).contains(&"rows after | 5 | not known".to_owned()));
    }

    proptest! {
        #[test]
        fn no_contrast_holds_with_a_row_of_level_1_left(rows in 1..40_usize, at in any::<prop::sample::Index>(), altered: bool) {
            let mut contrast = shown(rows);
            let mut row = rows_before(&contrast).present().unwrap()[at.index(rows)].clone();
            if altered {
                row.sum = "altered".into();
            }
            database(&mut contrast).rows = Reading::Present(vec![row]);
            prop_assert_eq!(judge(&Reading::Present(contrast)).unwrap().holds, Holds::No);
        }
    }
}
