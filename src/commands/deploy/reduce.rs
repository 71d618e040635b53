//! Fewer members: those with the highest numbers go, one after another, and none of them while it is the primary.
//!
//! One after another, because then a standby always stays that has every acknowledged row, whoever it is: a set that loses its
//! primary and the only such standby at once has nobody left who may take over.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::commands::shared::standing::Standing;
use crate::commands::shared::{switch, waiting};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::directory::Directory;
use crate::exchange::names;
use crate::kubernetes::act::{Scale, command};
use crate::kubernetes::gone::{self, Leaving};
use crate::kubernetes::{ByHand, Object};
use crate::observe::{Reading, Snapshot};
use crate::text::{Hint, brief};

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the members may take to follow before anything is changed: what they say of themselves is some seconds old.
const AT_FIRST: Duration = Duration::from_secs(30);

/// How long it is tried to move the primary. Patroni refuses while another standby becomes the one that has every row.
const SWITCHING: Duration = Duration::from_mins(1);

/// From how many members to how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fewer {
    from: u32,
    to: u32,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The last member can go.
    Remove,
    /// The last member is the primary: this one takes its place first.
    Switch { primary: String, to: String },
    /// Nothing yet, for this reason.
    Wait(String),
}

impl Fewer {
    /// Whether a running database shall have fewer members than it has.
    pub fn of(members: Option<u32>, snapshot: &Snapshot) -> Option<Self> {
        let (from, to) = snapshot.replicas().zip(members)?;
        (to < from).then_some(Self { from, to })
    }

    /// The members that go, in this order.
    fn leaving(self) -> impl Iterator<Item = u32> {
        (self.to..self.from).rev()
    }

    /// Says what would be done.
    pub fn say(self, ctx: &Ctx, snapshot: &Snapshot) {
        let pods: Vec<String> = self.leaving().map(|number| format!("pod/{}", names::member(number).0)).collect();
        let primary = snapshot.primary().map(ResourceExt::name_any).map(|pod| format!("pod/{pod}"));
        if let Some(pod) = primary.filter(|pod| pods.contains(pod)) {
            ctx.printer.note(format!("{pod} is the primary: before it goes, another member takes its place"));
        }
        let claims = if deletes_claims(snapshot) { "deleted too" } else { "kept" };
        ctx.printer
            .note(format!("these members would go, one after another: {}; their claims are {claims}", pods.join(", ")));
        if let Step::Wait(why) = step(snapshot, self.from - 1, self.to) {
            ctx.printer.warning(&format!("this could not begin now: {why}"));
        }
    }

    /// Does it, before anything else is applied.
    ///
    /// # Errors
    /// If a member that stays does not follow, and then nothing was changed; if the primary cannot be moved; or if a pod is not gone
    /// at the deadline.
    pub async fn run(self, ctx: &Ctx, timeout: Duration, deadline: Instant) -> anyhow::Result<()> {
        let mut begun = false;
        for last in self.leaving() {
            let snapshot = self.free(ctx, last, &mut begun, deadline).await?;
            remove(ctx, &snapshot, last, (timeout, deadline)).await?;
            begun = true;
            kept(ctx, &snapshot, last);
        }
        Ok(())
    }

    /// Waits until a member can go, and moves the primary away from it if need be. Gives what there is then.
    async fn free(self, ctx: &Ctx, last: u32, begun: &mut bool, deadline: Instant) -> anyhow::Result<Snapshot> {
        let cluster = ctx.cluster().await?;
        let (mut told, mut switching) = (None, None);
        let at_first = deadline.min(Instant::now() + AT_FIRST);
        loop {
            let step = match Snapshot::read(cluster).await {
                Err(error) if error.cause.is_away() => (Step::Wait(error.to_string()), None),
                Err(error) => return Err(error.into()),
                Ok(snapshot) => {
                    is_untouched(ctx, &snapshot, last + 1)?;
                    (step(&snapshot, last, self.to), Some(snapshot))
                }
            };
            let why = match step {
                (Step::Remove, Some(snapshot)) => return Ok(snapshot),
                (Step::Switch { primary, to }, Some(snapshot)) => {
                    let until = *switching.get_or_insert_with(|| {
                        ctx.printer
                            .note(format!("pod/{primary} is the primary, and goes: another member takes its place"));
                        deadline.min(Instant::now() + SWITCHING)
                    });
                    match switch::attempt(ctx, &snapshot, &primary, &to, until).await? {
                        Ok(after) => {
                            *begun = true;
                            ctx.printer.out(after.says(&primary))?;
                            continue;
                        }
                        Err(why) => why,
                    }
                }
                (Step::Wait(why), _) => why,
                (_, None) => continue,
            };
            let until = if *begun { deadline } else { at_first };
            if Instant::now() >= until {
                return Err(self.not_possible(&ctx.by_hand, last, *begun, &why).into());
            }
            if told.as_ref() != Some(&why) {
                ctx.printer.note(format!("pod/{} stays until then: {}", names::member(last).0, brief(&why)));
                told = Some(why);
            }
            sleep(PAUSE).await;
        }
    }

    /// Why a member stays.
    fn not_possible(self, by_hand: &ByHand, last: u32, begun: bool, why: &str) -> Error {
        let hint = by_hand.own("doctor").to("find out what is wrong");
        if begun {
            let says = format!("the database has {} members still, and not {}: {why}", last + 1, self.to);
            return Error::too_late(says, hint.and("then run this again"));
        }
        let says = format!("the database keeps its {} members, and nothing was changed: {why}", self.from);
        Error::new(says, hint)
    }
}

/// What comes next, before the last member goes of those that there are. The first ones, so many, stay.
fn step(snapshot: &Snapshot, last: u32, stay: u32) -> Step {
    let standing = match Standing::of(snapshot) {
        Ok(standing) => standing,
        Err(why) => return Step::Wait(why),
    };
    let member = |number: u32| {
        let (name, _) = names::member(number);
        snapshot.pods_of(names::POSTGRES).find(|pod| pod.name_any() == name)
    };
    let follows = |number: &u32| member(*number).is_some_and(|pod| standing.is_with_it(pod));
    if let Some(behind) = (0..stay).find(|number| !follows(number)) {
        return Step::Wait(format!("pod/{} does not follow the primary", names::member(behind).0));
    }
    let has_every_row = |number: &u32| member(*number).is_some_and(|pod| standing.has_every_row(pod));
    match (0..=last).find(has_every_row) {
        None => Step::Wait("no standby has every acknowledged row".to_owned()),
        // Those that stay are asked first: one that goes later would have to hand the role over again.
        Some(number) if standing.primary == names::member(last).0 => {
            Step::Switch { primary: standing.primary, to: names::member(number).0 }
        }
        Some(_) => Step::Remove,
    }
}

/// Makes sure that nobody else has scaled the set meanwhile.
fn is_untouched(ctx: &Ctx, snapshot: &Snapshot, members: u32) -> Result<(), Error> {
    match (&snapshot.statefulset, snapshot.replicas()) {
        (Reading::Present(_), Some(now)) if now != members => Err(Error::new(
            format!("somebody else has scaled the database to {now} members meanwhile"),
            ctx.own_command("status").to("see the members, then run this again"),
        )),
        _ => Ok(()),
    }
}

/// Scales the set, so that its last member goes, and waits until it is gone.
async fn remove(
    ctx: &Ctx,
    snapshot: &Snapshot,
    last: u32,
    (timeout, deadline): (Duration, Instant),
) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let (pod, _) = names::member(last);
    let object = Object::named::<StatefulSet>(names::POSTGRES, cluster.namespace(), Value::Null);
    let uid = snapshot.statefulset.present().and_then(ResourceExt::uid);
    let scale = Scale { object, uid, replicas: u8::try_from(last)? };
    waiting::insist(ctx, deadline, waiting::server_away, async || ctx.perform(&scale).await).await?;
    ctx.printer.out(format!("{} scaled to {last}", scale.object.reference()))?;
    let uid = snapshot.pods_of(names::POSTGRES).find(|one| one.name_any() == pod).and_then(ResourceExt::uid);
    let Some(uid) = uid else { return Ok(()) };
    let leaving = Leaving { object: Object::named::<Pod>(&pod, cluster.namespace(), Value::Null), uid };
    let limit = format!("--timeout={}s", timeout.as_secs());
    ctx.show(|| command(cluster.place(), &["wait", "--for=delete", &limit, &leaving.object.reference()]));
    if gone::wait(cluster, std::slice::from_ref(&leaving), deadline).await.is_empty() {
        return Ok(());
    }
    Err(Error::too_late(
        format!("pod/{pod} is not gone within {timeout:?}"),
        ctx.by_hand.kubectl(["describe", "pod", &pod]).to("see what blocks it").and("then run this again"),
    )
    .into())
}

/// Says what has become of the claim of a member that is gone.
fn kept(ctx: &Ctx, snapshot: &Snapshot, number: u32) {
    let (pod, claim) = names::member(number);
    let is_there = snapshot.claims().any(|one| one.name_any() == claim && one.metadata.deletion_timestamp.is_none());
    let member = snapshot.members.iter().find(|member| member.claim_name == claim);
    let on_node = member.and_then(|member| Directory::of_member(member.volume.present()?));
    if deletes_claims(snapshot) {
        ctx.printer
            .note(format!("pod/{pod} is gone, and its claim {claim} with it: the set deletes the claims of such pods"));
    } else if let Some(directory) = on_node.filter(|_| is_there) {
        ctx.printer.note(format!(
            "pod/{pod} is gone; persistentvolumeclaim/{claim} is kept, with its data in {} of node {}: the next member with this \
             number uses it again, and teardown --delete-data deletes it with all else",
            directory.path, directory.hostname
        ));
    } else if is_there {
        ctx.printer.note(delete_claim(&ctx.by_hand, &pod, &claim).to_string());
    } else {
        ctx.printer.note(format!("pod/{pod} is gone"));
    }
}

fn delete_claim(by_hand: &ByHand, pod: &str, claim: &str) -> Hint {
    let is = format!("pod/{pod} is gone; persistentvolumeclaim/{claim} is kept, with its data. To delete both");
    by_hand.kubectl(["delete", "persistentvolumeclaim", claim]).to(is)
}

/// Whether somebody has told the set to delete the claim of a pod that goes.
fn deletes_claims(snapshot: &Snapshot) -> bool {
    let policy = || {
        let set = snapshot.statefulset.present()?.spec.as_ref()?;
        set.persistent_volume_claim_retention_policy.as_ref()?.when_scaled.as_deref()
    };
    policy() == Some("Delete")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::replication::Replication;
    use crate::observe::{Member, Reason};

    /// So many members that all follow this primary; these have every acknowledged row.
    fn of(members: u32, primary: u32, synchronous: &[u32]) -> Snapshot {
        let name = |number: u32| names::member(number).0;
        let pod = |number: u32| -> Pod {
            let is_primary = number == primary;
            let state = if is_primary { Value::Null } else { "streaming".into() };
            let said = json!({ "state": "running", "timeline": 2, "replication_state": state }).to_string();
            let labels = json!({ "app": "postgres", "role": if is_primary { "primary" } else { "replica" } });
            serde_json::from_value(json!({
                "metadata": { "name": name(number), "labels": labels, "annotations": { "status": said } },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
            }))
            .unwrap()
        };
        let member = |number| {
            let (pod, claim) = names::member(number);
            Member::new((&pod, &claim))
        };
        let set = json!({ "spec": { "replicas": members, "selector": {}, "serviceName": "", "template": {} } });
        Snapshot {
            statefulset: Reading::Present(serde_json::from_value(set).unwrap()),
            pods: Reading::Present((0..members).map(pod).collect()),
            members: (0..members).map(member).collect(),
            replication: Reading::Present(Replication {
                leader: Some(name(primary)),
                synchronous: synchronous.iter().copied().map(name).collect(),
                renewed_at: None,
            }),
            ..Snapshot::default()
        }
    }

    fn pods(snapshot: &mut Snapshot) -> &mut Vec<Pod> {
        let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
        pods
    }

    fn switch(primary: &str, to: &str) -> Step {
        Step::Switch { primary: primary.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn a_member_goes_only_if_another_one_is_the_primary() {
        assert_eq!(step(&of(5, 0, &[1]), 4, 3), Step::Remove);
        assert_eq!(step(&of(5, 4, &[1]), 4, 3), switch("postgres-4", "postgres-1"));
        // It goes too, but later.
        assert_eq!(step(&of(5, 3, &[1]), 4, 3), Step::Remove);
        assert_eq!(step(&of(4, 3, &[1]), 3, 3), switch("postgres-3", "postgres-1"));
    }

    #[test]
    fn the_role_goes_to_a_member_that_stays_if_one_has_every_row() {
        assert_eq!(step(&of(5, 4, &[3, 2]), 4, 3), switch("postgres-4", "postgres-2"));
        assert_eq!(step(&of(5, 4, &[3]), 4, 3), switch("postgres-4", "postgres-3"));
        // The standby that has every row may go: the primary has them, and another standby takes its place.
        assert_eq!(step(&of(5, 0, &[4]), 4, 3), Step::Remove);
    }

    #[test]
    fn nothing_goes_while_somebody_lacks_something() {
        let waits = |snapshot: &Snapshot, says: &str| {
            let Step::Wait(why) = step(snapshot, 4, 3) else { panic!("{says}: it does not wait") };
            assert!(why.contains(says), "{why}");
        };
        waits(&of(5, 4, &[]), "no standby has every acknowledged row");
        waits(&of(5, 9, &[1]), "no member is the primary");
        let mut other = of(5, 0, &[1]);
        other.replication =
            Reading::Present(Replication { leader: Some("postgres-1".to_owned()), ..Replication::default() });
        waits(&other, "the primary is changing");
        other.replication = Reading::Unknown(Reason::Forbidden("you may not".to_owned()));
        waits(&other, "is unknown: you may not");

        for lacks in [r#"{"timeline":1,"replication_state":"streaming"}"#, r#"{"timeline":2,"state":"starting"}"#] {
            let mut behind = of(5, 0, &[1]);
            pods(&mut behind)[2].annotations_mut().insert("status".to_owned(), lacks.to_owned());
            waits(&behind, "pod/postgres-2 does not follow the primary");
        }
        let mut missing = of(5, 0, &[1]);
        pods(&mut missing).remove(2);
        waits(&missing, "pod/postgres-2 does not follow the primary");
        // What goes need not follow.
        let mut leaving = of(5, 0, &[1]);
        pods(&mut leaving).truncate(3);
        assert_eq!(step(&leaving, 4, 3), Step::Remove);
    }

    #[test]
    fn the_last_members_go_first() {
        let fewer = Fewer::of(Some(3), &of(5, 0, &[1])).unwrap();
        assert_eq!(fewer.leaving().collect::<Vec<_>>(), [4, 3]);
        for same_or_more in [5, 7] {
            assert_eq!(Fewer::of(Some(same_or_more), &of(5, 0, &[1])), None);
        }
        assert_eq!(Fewer::of(None, &of(5, 0, &[1])), None);
        assert_eq!(Fewer::of(Some(3), &Snapshot { statefulset: Reading::Absent, ..of(5, 0, &[1]) }), None);
    }

    #[test]
    fn what_is_left_is_said_with_the_command_that_deletes_it() {
        let by_hand = ByHand { namespace: Some("trio".to_owned()), ..ByHand::default() };
        let hint = delete_claim(&by_hand, "postgres-4", "data-postgres-4").to_string();
        assert_eq!(
            hint,
            "pod/postgres-4 is gone; persistentvolumeclaim/data-postgres-4 is kept, with its data. To delete both: \
             kubectl delete persistentvolumeclaim data-postgres-4 -n trio"
        );
        let mut told = of(5, 0, &[1]);
        assert!(!deletes_claims(&told));
        let Reading::Present(set) = &mut told.statefulset else { panic!("there is a set") };
        let policy = json!({ "whenScaled": "Delete", "whenDeleted": "Retain" });
        set.spec.as_mut().unwrap().persistent_volume_claim_retention_policy = serde_json::from_value(policy).unwrap();
        assert!(deletes_claims(&told));
    }
}
