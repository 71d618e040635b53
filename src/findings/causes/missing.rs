use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting, unschedulable};
use crate::exchange::names;
use crate::findings::dns::{service_missing, set_missing};
use crate::findings::{Cause, Finding, Observed, Weight, claims};
use crate::observe::{Member, Reading};
use crate::text::Hint;

/// An object of the exchange, or of another set, is not there.
pub static CAUSE: Cause = Cause {
    id: "KC001",
    slug: "missing",
    title: "An object is missing",
    text: include_str!("missing.md"),
    explains: &[
        &service_missing::CAUSE,
        &set_missing::CAUSE,
        &unschedulable::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let finding = |app: &'static str, object: String, says: &str| Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app,
            says: says.to_owned(),
            hint: hint(observed, &object),
            object,
        };
        if snapshot.is_empty() {
            return vec![finding(
                names::POSTGRES,
                format!("namespace/{}", observed.namespace),
                "no exchange is deployed here",
            )];
        }
        let mut absent = Vec::new();
        if matches!(snapshot.statefulset, Reading::Absent) {
            absent.push((names::POSTGRES, format!("statefulset/{}", names::POSTGRES)));
        }
        for member in &snapshot.members {
            // A set creates the claim of a pod together with the pod.
            let is_due = snapshot.target.is_none() || snapshot.pod_of(member).is_some();
            if matches!(member.claim, Reading::Absent) && is_due {
                absent.push((names::POSTGRES, member.claim_reference()));
            }
            // The lesson's volume may be missed by nobody: a claim may have another one. A claim that is Lost says so itself.
            let is_lost = member.claim.present().is_some_and(|claim| claims::phase(claim) == "Lost");
            if let (Some(name), Reading::Absent, false) = (member.volume_name(), &member.volume, is_lost) {
                absent.push((names::POSTGRES, format!("persistentvolume/{name}")));
            }
        }
        let apps = [(names::BACKEND, names::BACKEND_SERVICE), (names::FRONTEND, names::FRONTEND_SERVICE)];
        for (app, service) in apps.into_iter().chain([(names::POSTGRES, names::POSTGRES_SERVICE)]) {
            if matches!(snapshot.deployments.get(app), Some(Reading::Absent)) {
                absent.push((app, format!("deployment/{app}")));
            }
            if matches!(snapshot.services.get(service), Some(Reading::Absent)) {
                absent.push((app, format!("service/{service}")));
            }
        }
        absent.into_iter().map(|(app, object)| finding(app, object, "is missing")).collect()
    },
};

/// A claim is created again, and its volume gives it the data only if it is told to.
fn hint(observed: &Observed, object: &str) -> Hint {
    let member = observed.snapshot.members.iter().find(|member| member.claim_reference() == object);
    let is_left = member.and_then(Member::released_volume).is_some();
    let deploy = match (observed.snapshot.is_replicated(), is_left) {
        (true, true) => "deploy --ha --reuse-volume",
        (true, false) => "deploy --ha",
        (false, true) => "deploy --reuse-volume",
        (false, false) => "deploy",
    };
    let purpose = if is_left { "create it again, with the data of its volume" } else { "create it again" };
    observed.by_hand.own(deploy).to(purpose)
}
