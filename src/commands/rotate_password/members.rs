//! The members of a replicated database get the passwords of another Secret. PostgreSQL takes them first, which ends no connection. Then
//! each member is restarted with them: the standbys one after another, and the primary once another member has taken its place.
//!
//! Between both, a member that has not been restarted works on, but it could not connect anew. So one that has lost the primary is
//! restarted before all others. The members' HTTP ports have a password too: as long as some have the old one and some the new one, the
//! primary does not get an answer from all of them, and an API server that is away then makes it step down (`failsafe_mode`).
//! `patronictl switchover` is run where the primary is, which it asks: there both have the same one.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::commands::shared::primary::primary;
use crate::commands::shared::standing::Standing;
use crate::commands::shared::{credentials, switch, waiting};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::access::{Permission, missing};
use crate::kubernetes::act::{DeletePod, StrategicPatch};
use crate::kubernetes::{Cluster, Object, adopt};
use crate::observe::{Snapshot, container};
use crate::text::brief;

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the members may take to follow before anything is changed: what they say of themselves is some seconds old.
const AT_FIRST: Duration = Duration::from_secs(30);

/// How long it is tried to move the primary. Patroni refuses while another standby becomes the one that has every row.
const SWITCHING: Duration = Duration::from_mins(1);

/// What is done to the members, beside what is done to the exchange.
const NEEDED: [Permission; 3] = [
    Permission { verb: "patch", group: "apps", resource: "statefulsets", subresource: "" },
    Permission { verb: "delete", group: "", resource: "pods", subresource: "" },
    // Who has every acknowledged row stands there.
    Permission { verb: "get", group: "", resource: "configmaps", subresource: "" },
];

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// All members have the passwords, and follow.
    Done,
    /// This member is restarted.
    Restart { pod: String, uid: String },
    /// Only the primary is left: this one takes its place first.
    Switch { primary: String, to: String },
    /// Nothing yet, for this reason.
    Wait(String),
}

/// Makes sure that one may do all of it: half of it done would be a database whose members cannot connect anew.
///
/// # Errors
/// With what one may not do.
pub async fn permitted(ctx: &Ctx, cluster: &Cluster) -> anyhow::Result<()> {
    let missing = missing(cluster, NEEDED).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = missing.iter().map(|one| format!("you may not {one}")).collect();
    Err(Error::new(
        format!("the members cannot get other passwords, so nothing was changed: {}", all.join("; ")),
        ctx.by_hand.check_permissions(),
    )
    .into())
}

/// Makes sure that all members work before any password is changed, and waits a while for it. A rotation that was interrupted goes
/// on in any case.
///
/// # Errors
/// Why one of them does not.
pub async fn work(ctx: &Ctx, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let at_first = deadline.min(Instant::now() + AT_FIRST);
    loop {
        let snapshot = Snapshot::read(cluster).await?;
        let Some(secret) = snapshot.members_secret() else { return Ok(()) };
        let Step::Wait(why) = step(&snapshot, secret) else { return Ok(()) };
        if Instant::now() >= at_first {
            return Err(Error::new(
                format!("no password was changed: {why}"),
                ctx.by_hand.own("doctor").to("find out what is wrong"),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
}

/// Makes PostgreSQL and all members use the passwords of a Secret. What is so already is left as it is.
///
/// # Errors
/// If a step cannot be done, or something still stands in its way at the deadline.
pub async fn rotate(ctx: &Ctx, secret: &str, deadline: Instant) -> anyhow::Result<()> {
    let server = primary(ctx).await?.pod;
    let snapshot = Snapshot::read(ctx.cluster().await?).await?;
    let changed = credentials::take_of_members(ctx, &snapshot, &server, secret).await?;
    ctx.printer.out(if changed.is_empty() {
        format!("PostgreSQL has the passwords of secret/{secret}")
    } else {
        format!("PostgreSQL now has the passwords of secret/{secret} for {} (ALTER ROLE)", changed.join(", "))
    })?;
    if snapshot.members_secret() != Some(secret) {
        point(ctx, &snapshot, secret).await?;
    } else if !is_unfinished(&snapshot) {
        return Ok(());
    }
    restart(ctx, secret, deadline).await?;
    if on_delete(&snapshot) == Some(Whose::Other) {
        return Ok(());
    }
    let by_itself = json!({ "spec": { "updateStrategy": { "type": "RollingUpdate" } } });
    patch(ctx, by_itself).await.map(drop)
}

/// Whether an earlier run has pointed the set at a Secret, and did not come to its end.
#[must_use]
pub fn is_unfinished(snapshot: &Snapshot) -> bool {
    on_delete(snapshot) == Some(Whose::Own) || snapshot.pods_with_old_passwords().next().is_some()
}

/// Who has told the set not to restart its pods by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// This command.
    Own,
    /// Somebody who wants it to stay so.
    Other,
}

/// By whom the set was told not to restart its pods by itself, if it was.
fn on_delete(snapshot: &Snapshot) -> Option<Whose> {
    let set = snapshot.statefulset.present()?;
    let strategy = set.spec.as_ref()?.update_strategy.as_ref()?;
    let is_own = adopt::patched(&set.metadata, "/f:spec/f:updateStrategy/f:type");
    (strategy.type_.as_deref() == Some("OnDelete")).then_some(if is_own { Whose::Own } else { Whose::Other })
}

async fn patch(ctx: &Ctx, body: Value) -> anyhow::Result<String> {
    let object = Object::named::<StatefulSet>(names::POSTGRES, ctx.cluster().await?.namespace(), body);
    let reference = object.reference();
    ctx.perform(&StrategicPatch { object }).await?;
    Ok(reference)
}

/// Points the set at a Secret. It must not restart its pods by itself: it begins with the highest number, whoever that is, and so
/// could stop one new primary after another.
async fn point(ctx: &Ctx, snapshot: &Snapshot, secret: &str) -> anyhow::Result<()> {
    let variables = variables(snapshot, secret);
    let containers = json!([{ "name": names::POSTGRES, "env": variables }]);
    let reference = patch(
        ctx,
        json!({ "spec": {
            "updateStrategy": { "type": "OnDelete", "rollingUpdate": null },
            "template": { "spec": { "containers": containers } },
        } }),
    )
    .await?;
    ctx.printer.out(format!("{reference} uses secret/{secret}"))
}

/// The variables of the members that come from the Secret that they use, to come from another one.
fn variables(snapshot: &Snapshot, secret: &str) -> Vec<Value> {
    let used = snapshot.members_secret();
    let set = snapshot.statefulset.present().and_then(|set| set.spec.as_ref()?.template.spec.as_ref());
    let container = set.and_then(|spec| container::spec(spec, names::POSTGRES));
    let all = container.into_iter().flat_map(|container| container.env.iter().flatten());
    all.filter_map(|variable| {
        let source = variable.value_from.as_ref()?.secret_key_ref.as_ref()?;
        let reference = json!({ "name": secret, "key": source.key });
        (used == Some(source.name.as_str()))
            .then(|| json!({ "name": variable.name, "valueFrom": { "secretKeyRef": reference } }))
    })
    .collect()
}

/// Restarts each member that does not have the Secret yet, and waits until all follow.
async fn restart(ctx: &Ctx, secret: &str, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let (mut told, mut switching) = (None, None);
    loop {
        let (step, snapshot) = match Snapshot::read(cluster).await {
            Err(error) if error.cause.is_away() => (Step::Wait(error.to_string()), None),
            Err(error) => return Err(error.into()),
            Ok(snapshot) => (step(&snapshot, secret), Some(snapshot)),
        };
        let why = match (step, snapshot) {
            (Step::Done, _) => return Ok(()),
            (Step::Restart { pod, uid }, _) => {
                let delete = DeletePod { name: pod.clone(), uid, grace: None };
                waiting::insist(ctx, deadline, waiting::server_away, async || ctx.perform(&delete).await).await?;
                ctx.printer.out(format!("pod/{pod} deleted, to start again with secret/{secret}"))?;
                continue;
            }
            (Step::Switch { primary, to }, Some(snapshot)) => {
                let until = *switching.get_or_insert_with(|| deadline.min(Instant::now() + SWITCHING));
                match switch::attempt(ctx, &snapshot, &primary, &to, until).await? {
                    Ok(after) => {
                        ctx.printer.out(after.says(&primary))?;
                        continue;
                    }
                    Err(why) => why,
                }
            }
            (Step::Wait(why), _) => why,
            (Step::Switch { .. }, None) => continue,
        };
        if Instant::now() >= deadline {
            return Err(Error::too_late(
                format!("not all members have the passwords of secret/{secret} in time: {why}"),
                ctx.by_hand.own("doctor").to("find out what is wrong").and("then run this again to finish"),
            )
            .into());
        }
        if told.as_ref() != Some(&why) {
            ctx.printer.note(format!("waiting: {}", brief(&why)));
            told = Some(why);
        }
        sleep(PAUSE).await;
    }
}

/// What comes next, so that at most one member is away, a standby with every acknowledged row is always there, and the role of the
/// primary is handed over once.
fn step(snapshot: &Snapshot, secret: &str) -> Step {
    let standing = match Standing::of(snapshot) {
        Ok(standing) => standing,
        Err(why) => return Step::Wait(why),
    };
    let (mut primary, mut stale, mut ready) = (None, Vec::new(), Vec::new());
    for number in 0..snapshot.replicas().unwrap_or(0) {
        let (name, _) = names::member(number);
        let Some(pod) = snapshot.pods_of(names::POSTGRES).find(|pod| pod.name_any() == name) else {
            return Step::Wait(format!("pod/{name} is not there yet"));
        };
        if pod.metadata.deletion_timestamp.is_some() {
            return Step::Wait(format!("pod/{name} is terminating"));
        }
        if uses(pod, secret) {
            if !standing.is_with_it(pod) {
                return Step::Wait(format!("pod/{name} does not follow the primary yet"));
            }
            ready.push(pod);
        } else if standing.is_primary(pod) {
            primary = Some(pod);
        } else {
            stale.push(pod);
        }
    }
    // It has the old password: it does not find back by itself.
    if let Some(lost) = stale.iter().find(|pod| !standing.is_with_it(pod) && !standing.is_synchronous(pod)) {
        return restarted(lost);
    }
    if let Some(behind) = stale.iter().find(|pod| !standing.is_with_it(pod)) {
        return Step::Wait(format!("pod/{} does not follow the primary", behind.name_any()));
    }
    let Some(to) = ready.iter().chain(&stale).find(|pod| standing.has_every_row(pod)) else {
        return Step::Wait("no standby has every acknowledged row".to_owned());
    };
    // The one that has every row goes last: before Patroni stops it, another one takes its place there, and so no commit waits.
    match (stale.iter().min_by_key(|pod| standing.is_synchronous(pod)), primary) {
        (Some(next), _) => restarted(next),
        (None, Some(primary)) => Step::Switch { primary: primary.name_any(), to: to.name_any() },
        (None, None) => Step::Done,
    }
}

/// Whether a member was started with this Secret.
fn uses(pod: &Pod, secret: &str) -> bool {
    let spec = pod.spec.as_ref();
    spec.and_then(|spec| container::secret_of(spec, names::MEMBERS_PASSWORD)) == Some(secret)
}

fn restarted(pod: &Pod) -> Step {
    Step::Restart { pod: pod.name_any(), uid: pod.uid().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::objects::Objects;
    use crate::exchange::settings::{Settings, Storage};
    use crate::observe::replication::Replication;
    use crate::observe::{Member, Reading};

    const NEW: &str = "postgres-members-new";

    /// Three members that all follow this primary, of which this one has every row; these have the new passwords.
    fn of(primary: u32, synchronous: &[u32], new: &[u32]) -> Snapshot {
        let name = |number: u32| names::member(number).0;
        let pod = |number: u32| -> Pod {
            let (role, state) =
                if number == primary { ("primary", Value::Null) } else { ("replica", "streaming".into()) };
            let said = json!({ "state": "running", "timeline": 2, "replication_state": state }).to_string();
            let secret = if new.contains(&number) { NEW } else { names::MEMBERS_SECRET };
            serde_json::from_value(json!({
                "metadata": { "name": name(number), "uid": number.to_string(), "labels": { "app": "postgres", "role": role },
                              "annotations": { "status": said } },
                "spec": { "containers": [with_secret(secret)] },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
            }))
            .unwrap()
        };
        let member = |number| {
            let (pod, claim) = names::member(number);
            Member::new((&pod, &claim))
        };
        let template = json!({ "spec": { "containers": [with_secret(names::MEMBERS_SECRET)] } });
        let set = json!({ "spec": { "replicas": 3, "selector": {}, "serviceName": "", "template": template } });
        Snapshot {
            statefulset: Reading::Present(serde_json::from_value(set).unwrap()),
            pods: Reading::Present((0..3).map(pod).collect()),
            members: (0..3).map(member).collect(),
            replication: Reading::Present(Replication {
                leader: Some(name(primary)),
                synchronous: synchronous.iter().copied().map(name).collect(),
                renewed_at: None,
            }),
            ..Snapshot::default()
        }
    }

    fn with_secret(secret: &str) -> Value {
        let from = |name: &str, key: &str| json!({ "secretKeyRef": { "name": name, "key": key } });
        json!({ "name": "postgres", "env": [
            { "name": "PATRONI_RESTAPI_PASSWORD", "valueFrom": from(secret, "restapi") },
            { "name": names::MEMBERS_PASSWORD, "valueFrom": from(secret, "superuser") },
            { "name": "POSTGRES_PASSWORD", "valueFrom": from(names::SECRET, "password") },
            { "name": "POSTGRES_DB", "value": "kubecoin" },
        ] })
    }

    fn change(snapshot: &mut Snapshot, number: usize, change: impl FnOnce(&mut Pod)) {
        let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
        change(&mut pods[number]);
    }

    fn is_lost(pod: &mut Pod) {
        let says = json!({ "state": "running", "timeline": 2 }).to_string();
        pod.annotations_mut().insert("status".to_owned(), says);
    }

    fn restarts(pod: u32) -> Step {
        Step::Restart { pod: names::member(pod).0, uid: pod.to_string() }
    }

    fn waits(snapshot: &Snapshot, says: &str) {
        let Step::Wait(why) = step(snapshot, NEW) else { panic!("{says}: it does not wait") };
        assert!(why.contains(says), "{why}");
    }

    #[test]
    fn standbys_restart_first_and_the_primary_once_another_one_has_its_role() {
        assert_eq!(step(&of(0, &[1], &[]), NEW), restarts(2), "the one with every row stays");
        assert_eq!(step(&of(0, &[1], &[2]), NEW), restarts(1));
        let switch = Step::Switch { primary: "postgres-0".to_owned(), to: "postgres-2".to_owned() };
        assert_eq!(step(&of(0, &[2], &[1, 2]), NEW), switch);
        let mut former = of(2, &[1], &[1, 2]);
        change(&mut former, 0, is_lost);
        assert_eq!(step(&former, NEW), restarts(0));
        assert_eq!(step(&of(2, &[1], &[0, 1, 2]), NEW), Step::Done);
        // The primary has failed meanwhile, and so it has the new passwords already.
        assert_eq!(step(&of(2, &[1], &[2]), NEW), restarts(0));
    }

    #[test]
    fn one_that_has_lost_the_primary_restarts_before_all_others() {
        let mut lost = of(0, &[1], &[]);
        change(&mut lost, 2, is_lost);
        assert_eq!(step(&lost, NEW), restarts(2));
        let mut both = of(0, &[], &[]);
        for number in [1, 2] {
            change(&mut both, number, is_lost);
        }
        assert_eq!(step(&both, NEW), restarts(1), "the first one");
        let mut synchronous = of(0, &[1], &[2]);
        change(&mut synchronous, 1, is_lost);
        waits(&synchronous, "pod/postgres-1 does not follow the primary");
    }

    #[test]
    fn only_one_member_is_away_at_a_time() {
        let mut starting = of(0, &[1], &[2]);
        change(&mut starting, 2, is_lost);
        waits(&starting, "pod/postgres-2 does not follow the primary yet");
        let mut going = of(0, &[1], &[]);
        change(&mut going, 2, |pod| {
            pod.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-11-23T20:00:00Z")).unwrap());
        });
        waits(&going, "pod/postgres-2 is terminating");
        let mut gone = of(0, &[1], &[]);
        let Reading::Present(pods) = &mut gone.pods else { panic!("there are pods") };
        pods.remove(2);
        waits(&gone, "pod/postgres-2 is not there yet");
        waits(&of(0, &[], &[]), "no standby has every acknowledged row");
        waits(&of(0, &[], &[0, 1, 2]), "no standby has every acknowledged row");
        waits(&of(9, &[1], &[]), "no member is the primary");
    }

    #[test]
    fn who_wants_to_delete_pods_by_hand_goes_on_to_do_so() {
        let mut snapshot = of(0, &[1], &[]);
        assert_eq!((on_delete(&snapshot), is_unfinished(&snapshot)), (None, false));
        let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
        set.spec.as_mut().unwrap().update_strategy = serde_json::from_value(json!({ "type": "OnDelete" })).unwrap();
        assert_eq!((on_delete(&snapshot), is_unfinished(&snapshot)), (Some(Whose::Other), false));
        let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
        let fields = json!({ "f:spec": { "f:updateStrategy": { "f:type": {} } } });
        let entry = json!([{ "manager": "kubectl-kubecoin", "operation": "Update", "fieldsV1": fields }]);
        set.metadata.managed_fields = serde_json::from_value(entry).unwrap();
        assert_eq!((on_delete(&snapshot), is_unfinished(&snapshot)), (Some(Whose::Own), true));
        assert!(is_unfinished(&of(0, &[1], &[2])), "a member has another Secret than the set");
    }

    #[test]
    fn only_what_comes_from_the_members_secret_comes_from_another_one() {
        let all = variables(&of(0, &[1], &[]), NEW);
        let names: Vec<_> = all.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["PATRONI_RESTAPI_PASSWORD", names::MEMBERS_PASSWORD]);
        assert_eq!(all[0]["valueFrom"]["secretKeyRef"], json!({ "name": NEW, "key": "restapi" }));
    }

    #[test]
    fn the_manifests_members_have_the_variable_by_which_they_are_told_apart() {
        let settings = Settings::of("alice", Storage::Dynamic { class: None });
        let settings = Settings { members: Some(3), members_secret: Some(NEW.to_owned()), ..settings };
        let set = Objects::new(&settings).unwrap().postgres;
        let spec = set.spec.unwrap().template.spec.unwrap();
        assert_eq!(container::secret_of(&spec, names::MEMBERS_PASSWORD), Some(NEW));
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!((text.matches(NEW).count(), text.matches("\"postgres-members\"").count()), (4, 0));
    }
}
