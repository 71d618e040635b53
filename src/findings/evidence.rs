//! What a finding was judged by, as it was read.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, Pod, PodCondition, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::finding::{Finding, Observed};
use super::services;
use crate::observe::Reading;
use crate::observe::details::Happening;
use crate::observe::path::Path;
use crate::text::{duration, one_line};

/// As many events of one object as a person reads.
const EVENTS: usize = 3;

/// What was read of the object that a finding concerns, a fact a line. Nothing of an object of which only its name is known.
#[must_use]
pub fn of(observed: &Observed, finding: &Finding) -> Vec<String> {
    let Some((kind, name)) = finding.object.split_once('/') else { return Vec::new() };
    let snapshot = observed.snapshot;
    let mut facts = match kind {
        "pod" => {
            let pod = snapshot.pods.present().into_iter().flatten().find(|pod| pod.name_any() == name);
            pod.map(|pod| of_pod(observed, pod)).unwrap_or_default()
        }
        "statefulset" => of_set(observed),
        "deployment" => of_deployment(observed, name),
        "persistentvolumeclaim" => of_claim(observed, name),
        "persistentvolume" => of_volume(observed, name),
        "service" => snapshot
            .services
            .get(name)
            .and_then(Reading::present)
            .map_or_else(Vec::new, |service| of_service(observed, name, service)),
        "database" => of_database(observed),
        _ => Vec::new(),
    };
    facts.extend(of_path(observed).filter(|_| finding.app.is_empty() || kind == "database"));
    facts
}

fn of_pod(observed: &Observed, pod: &Pod) -> Vec<String> {
    let status = pod.status.clone().unwrap_or_default();
    let spec = pod.spec.clone().unwrap_or_default();
    let node = spec.node_name.map(|node| format!(" on node {node}")).unwrap_or_default();
    let mut facts = vec![format!("phase {}{node}", status.phase.as_deref().unwrap_or("unknown"))];
    if let Some(deleted) = &pod.metadata.deletion_timestamp {
        facts.push(format!("deletionTimestamp {}", deleted.0));
    }
    let is_false = |condition: &&PodCondition| condition.status != "True";
    facts.extend(status.conditions.iter().flatten().filter(is_false).map(|it| condition(observed, it)));
    for container in status.container_statuses.iter().chain(&status.init_container_statuses).flatten() {
        let now = container.state.as_ref().map(state).unwrap_or_default();
        let before = container.last_state.as_ref().map(state).filter(|text| !text.is_empty());
        let before = before.map(|text| format!("; before: {text}")).unwrap_or_default();
        facts.push(format!("container {}: {now}, {} restarts{before}", container.name, container.restart_count));
    }
    facts.extend(events(observed, pod));
    facts
}

fn condition(observed: &Observed, condition: &PodCondition) -> String {
    let since = condition.last_transition_time.as_ref().map(|since| format!(" for {}", age(observed, since.0)));
    let why = [&condition.reason, &condition.message].into_iter().flatten().map(|it| one_line(it)).collect::<Vec<_>>();
    let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(": ")) };
    format!("condition {}={}{}{why}", condition.type_, condition.status, since.unwrap_or_default())
}

/// A state of a container in words.
fn state(state: &ContainerState) -> String {
    if let Some(waiting) = &state.waiting {
        let message = waiting.message.as_ref().map(|it| format!(" ({})", one_line(it))).unwrap_or_default();
        return format!("waiting {}{message}", waiting.reason.as_deref().unwrap_or_default());
    }
    if let Some(ended) = &state.terminated {
        let reason = ended.reason.as_deref().unwrap_or("terminated");
        let message = ended.message.as_ref().map(|it| format!(" ({})", one_line(it))).unwrap_or_default();
        return format!("{reason}, exit code {}{message}", ended.exit_code);
    }
    if state.running.is_some() { "running".to_owned() } else { String::new() }
}

fn of_set(observed: &Observed) -> Vec<String> {
    let Some(set) = observed.snapshot.statefulset.present() else { return Vec::new() };
    let (spec, status) = (set.spec.clone().unwrap_or_default(), set.status.clone().unwrap_or_default());
    let number = |number: Option<i32>| number.map_or("none".to_owned(), |number| number.to_string());
    let mut facts = vec![
        format!("replicas {} wanted, {} ready", number(spec.replicas), number(status.ready_replicas)),
        format!(
            "generation {}, observed {}",
            set.metadata.generation.unwrap_or_default(),
            status.observed_generation.unwrap_or_default()
        ),
    ];
    if let (Some(current), Some(update)) = (status.current_revision, status.update_revision) {
        facts.push(format!("currentRevision {current}, updateRevision {update}"));
    }
    facts.push(format!("serviceName {:?}", spec.service_name.unwrap_or_default()));
    facts.extend(events(observed, set));
    facts
}

fn of_deployment(observed: &Observed, name: &str) -> Vec<String> {
    let Some(deployment) = observed.snapshot.deployments.get(name).and_then(Reading::present) else {
        return Vec::new();
    };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
    let status = deployment.status.clone().unwrap_or_default();
    let number = |number: Option<i32>| number.unwrap_or_default();
    let mut facts = vec![format!(
        "replicas {} wanted, {} updated, {} available",
        wanted.unwrap_or(1),
        number(status.updated_replicas),
        number(status.available_replicas)
    )];
    let is_wrong = |type_: &str, status: &str| (type_ == "ReplicaFailure") == (status == "True");
    let conditions = status.conditions.iter().flatten().filter(|it| is_wrong(&it.type_, &it.status));
    facts.extend(conditions.map(|it| {
        let message = it.message.as_deref().map(one_line).unwrap_or_default();
        format!("condition {}={}: {message}", it.type_, it.status)
    }));
    facts.extend(events(observed, deployment));
    facts
}

fn of_claim(observed: &Observed, name: &str) -> Vec<String> {
    let member = observed.snapshot.members.iter().find(|member| member.claim_name == name);
    let Some(claim) = member.and_then(|member| member.claim.present()) else { return Vec::new() };
    let (spec, status) = (claim.spec.clone().unwrap_or_default(), claim.status.clone().unwrap_or_default());
    let asked = spec.resources.and_then(|it| it.requests?.get("storage").map(|size| size.0.clone()));
    let mut facts = vec![
        format!("phase {}", status.phase.as_deref().unwrap_or("Pending")),
        format!(
            "storageClassName {}, volumeName {:?}, {} {}",
            spec.storage_class_name.map_or("not set".to_owned(), |class| format!("{class:?}")),
            spec.volume_name.unwrap_or_default(),
            asked.unwrap_or_default(),
            spec.access_modes.unwrap_or_default().join(",")
        ),
    ];
    facts.extend(deleted(&claim.metadata));
    facts.extend(events(observed, claim));
    facts
}

fn of_volume(observed: &Observed, name: &str) -> Vec<String> {
    let Some(volume) = observed.snapshot.volumes().find(|volume| volume.name_any() == name) else { return Vec::new() };
    let (spec, status) = (volume.spec.clone().unwrap_or_default(), volume.status.clone().unwrap_or_default());
    let claim =
        spec.claim_ref.map(|it| format!("{}/{}", it.namespace.unwrap_or_default(), it.name.unwrap_or_default()));
    let mut facts = vec![
        format!("phase {}", status.phase.as_deref().unwrap_or("Pending")),
        format!(
            "claimRef {}, storageClassName {:?}, {} {}, reclaim policy {}",
            claim.unwrap_or("none".to_owned()),
            spec.storage_class_name.unwrap_or_default(),
            spec.capacity.and_then(|it| it.get("storage").map(|size| size.0.clone())).unwrap_or_default(),
            spec.access_modes.unwrap_or_default().join(","),
            spec.persistent_volume_reclaim_policy.unwrap_or_default()
        ),
    ];
    facts.extend(deleted(&volume.metadata));
    facts
}

/// That it was deleted, and what holds it.
fn deleted(metadata: &ObjectMeta) -> Option<String> {
    let deleted = metadata.deletion_timestamp.as_ref()?;
    let finalizers = metadata.finalizers.clone().unwrap_or_default().join(", ");
    Some(format!("deletionTimestamp {}, finalizers: {finalizers}", deleted.0))
}

fn of_service(observed: &Observed, name: &str, service: &Service) -> Vec<String> {
    let spec = service.spec.clone().unwrap_or_default();
    let ports: Vec<String> = spec
        .ports
        .iter()
        .flatten()
        .map(|port| match services::target(port) {
            IntOrString::Int(number) => format!("{}→{number}", port.port),
            IntOrString::String(name) => format!("{}→{name}", port.port),
        })
        .collect();
    let ready = services::ready_endpoints(observed.snapshot, name);
    vec![
        format!("selector {}", services::selector(service)),
        format!("clusterIP {}, ports {}", spec.cluster_ip.unwrap_or_default(), ports.join(",")),
        format!("{} ready endpoints", ready.map_or("unknown".to_owned(), |ready| ready.to_string())),
    ]
}

fn of_database(observed: &Observed) -> Vec<String> {
    let Some(database) = observed.details.database.present() else { return Vec::new() };
    let mut facts = vec![format!(
        "the server started at {}; pg_is_in_recovery() is {}, default_transaction_read_only is {}",
        database.started_at,
        database.in_recovery,
        database.read_only.as_ref().map_or("off".to_owned(), |source| format!("on ({source})"))
    )];
    facts.extend(database.free.map(|free| format!("{} MiB are free where the data is", free >> 20)));
    facts.extend(
        database
            .blockers
            .iter()
            .map(|it| format!("session {} has {} on the table for {} s", it.pid, it.mode, it.seconds)),
    );
    facts
}

/// What came of the request.
fn of_path(observed: &Observed) -> Option<String> {
    Some(match observed.details.path.present()? {
        Path::Answered(connection) => {
            let served = &connection.database;
            format!(
                "the request was answered by pod/{}, from the database at {} as role {}",
                connection.backend, served.host, served.role
            )
        }
        Path::NoDatabase { backend, reason } => {
            format!("the request reached pod/{backend}, which could not connect to the database: {reason}")
        }
        Path::NoBackend => "the request reached the page, and no backend behind it".to_owned(),
        Path::NoPage(why) => format!("the request did not reach the page: {}", one_line(why)),
        Path::Other(what) => format!("the request was answered by something else: {}", one_line(what)),
    })
}

/// The newest events of an object, the newest last. Not all are asked for.
fn events(observed: &Observed, object: &impl Resource) -> Vec<String> {
    let uid = object.meta().uid.as_deref();
    let of_object: Vec<&Happening> = observed.details.events.iter().filter(|it| uid == Some(it.uid.as_str())).collect();
    let newest = of_object.iter().skip(of_object.len().saturating_sub(EVENTS));
    newest
        .map(|it| {
            let at = it.at.map(|at| format!(" {} ago", age(observed, at))).unwrap_or_default();
            format!("event{at}: {}: {}", it.reason, it.message)
        })
        .collect()
}

fn age(observed: &Observed, since: Timestamp) -> String {
    duration(observed.now.duration_since(since))
}
