use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::PodSpec;

use super::{database_unreachable, not_admitted};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::observe::path::Path;
use crate::observe::readiness::{self, HeldBack};
use crate::observe::{Reading, container};
use crate::text::Hint;

/// The set keeps pods of an older revision, as it was told to.
pub static CAUSE: Cause = Cause {
    id: "KC042",
    slug: "update-held-back",
    title: "A StatefulSet does not update its pods by itself",
    text: include_str!("update_held_back.md"),
    explains: &[&not_admitted::CAUSE, &database_unreachable::CAUSE],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        let Some(set) = observed.snapshot.statefulset.present() else { return vec![] };
        let Some(held) = readiness::held_back(set) else { return vec![] };
        let why = match held {
            HeldBack::OnDelete => {
                "its updateStrategy is OnDelete, so a pod is updated only when somebody deletes it".to_owned()
            }
            HeldBack::Partition(first) => {
                format!("its updateStrategy has the partition {first}, so only pods from this number on are updated")
            }
        };
        let (weight, harm) = if is_needed(observed, set) {
            let harm = "; the newer one starts the database in another way, and as it runs now the backend cannot connect to it";
            (Weight::Problem, harm)
        } else {
            (Weight::Info, "")
        };
        vec![Finding {
            cause: &CAUSE,
            weight,
            app: names::POSTGRES,
            object: observed.snapshot.set_reference(),
            says: format!("keeps pods of an older revision: {why}{harm}"),
            hint: hint(observed, held),
        }]
    },
};

/// Whether the backend does not get through to the database, and the newer revision would start it in another way.
fn is_needed(observed: &Observed, set: &StatefulSet) -> bool {
    let fails = matches!(observed.details.path, Reading::Present(Path::NoDatabase { .. }));
    let newest = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let runs = |spec| newest.is_some_and(|newest| start(newest) == start(spec));
    fails && observed.snapshot.pods_of(names::POSTGRES).filter_map(|pod| pod.spec.as_ref()).any(|spec| !runs(spec))
}

/// What a pod's database is started with.
fn start(spec: &PodSpec) -> Option<(&[String], &[String])> {
    let container = container::spec(spec, names::POSTGRES)?;
    Some((container.command.as_deref().unwrap_or_default(), container.args.as_deref().unwrap_or_default()))
}

fn hint(observed: &Observed, held: HeldBack) -> Hint {
    const NO_PARTITION: &str = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
    let by_hand = observed.by_hand;
    if observed.snapshot.pods_with_old_passwords().next().is_some() {
        return by_hand.own("rotate-password").to("a rotation of the members' passwords was interrupted; finish it");
    }
    match held {
        HeldBack::OnDelete => {
            let mut pods = observed.snapshot.pods_of(names::POSTGRES);
            let pod = pods.next().map_or(format!("pod/{}", names::POSTGRES_POD), pods::reference);
            by_hand.kubectl(["delete", &pod]).to("to update it, delete the pod; its data stays")
        }
        HeldBack::Partition(_) => by_hand
            .kubectl(["patch", &observed.snapshot.set_reference(), "-p", NO_PARTITION])
            .to("to update all pods, remove the partition"),
    }
}
