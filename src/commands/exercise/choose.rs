//! Which exercise, and which of its faults.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use rand::seq::IndexedRandom as _;
use serde_json::Value;

use crate::commands::shared::{next_pod, results};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::objects::pod_of;
use crate::kubernetes::access::{Permission, may};
use crate::lesson::exercise::fault::Fault;
use crate::lesson::exercise::part::Part;
use crate::lesson::exercise::record::Live;
use crate::lesson::exercise::{EXERCISES, Exercise, Needs, find};

const CHANGE_VOLUMES: Permission =
    Permission { verb: "patch", group: "", resource: "persistentvolumes", subresource: "" };

/// The exercise and the fault that are asked for; else one at random, of those that are not solved yet.
///
/// # Errors
/// If there is no such exercise, or it would not take effect here.
pub async fn choose(
    ctx: &Ctx,
    number: Option<u8>,
    variant: Option<u8>,
    live: &Live,
) -> anyhow::Result<(&'static Exercise, Fault)> {
    let exercise = match number {
        Some(number) => asked_for(ctx, number, live).await?,
        None => any(ctx, live).await?,
    };
    let faults = (exercise.faults)();
    let drawn = match variant {
        Some(variant) => faults.get((usize::from(variant) - 1) % faults.len()),
        None => faults.choose(&mut rand::rng()),
    };
    let fault = drawn.cloned().ok_or_else(|| anyhow::anyhow!("exercise {} has no fault", exercise.number))?;
    Ok((exercise, fault))
}

async fn asked_for(ctx: &Ctx, number: u8, live: &Live) -> anyhow::Result<&'static Exercise> {
    let list = ctx.own_command("exercise");
    let Some(exercise) = find(number) else {
        let says = format!("there is no exercise {number}: there are 1 to {}", EXERCISES.len());
        return Err(Error::new(says, list.to("list them")).into());
    };
    match lacks(ctx, exercise.needs, live).await? {
        None => Ok(exercise),
        Some(why) => {
            let says = format!("exercise {number} was not started: {why}");
            Err(Error::new(says, ctx.own_command("exercise start").to("start another one")).into())
        }
    }
}

async fn any(ctx: &Ctx, live: &Live) -> anyhow::Result<&'static Exercise> {
    let mut possible = Vec::new();
    for exercise in EXERCISES {
        if lacks(ctx, exercise.needs, live).await?.is_none() {
            possible.push(exercise);
        }
    }
    let kept = results::read(ctx).await?;
    let is_new = |exercise: &&&Exercise| kept.present().is_none_or(|results| !results.is_solved(exercise.number));
    let new: Vec<&Exercise> = possible.iter().filter(is_new).copied().collect();
    let chosen = new.choose(&mut rand::rng()).or_else(|| possible.choose(&mut rand::rng()));
    chosen.copied().ok_or_else(|| anyhow::anyhow!("no exercise would take effect here"))
}

/// Why an exercise would not take effect here; none if it would.
async fn lacks(ctx: &Ctx, needs: Needs, live: &Live) -> anyhow::Result<Option<String>> {
    let cluster = ctx.cluster().await?;
    let object = |part| live.iter().find(|(of, _)| *of == part).and_then(|(_, object)| object.as_ref());
    match needs {
        Needs::Nothing => Ok(None),
        Needs::RoomFor(part) => {
            let Some(pod) = object(part).map(|it| next(cluster.namespace(), part, it)).transpose()? else {
                return Ok(Some(format!("{} cannot be read", part.reference(cluster.namespace()))));
            };
            let refused = next_pod::refusal(cluster, &pod).await?;
            Ok(refused.map(|words| format!("it needs room for one more pod of {}: {words}", pod_name(part))))
        }
        Needs::Volume => {
            let claim = object(Part::Claim).map(|it| serde_json::from_value(it.clone())).transpose()?;
            let bound = claim.and_then(|claim: PersistentVolumeClaim| claim.spec?.volume_name);
            if object(Part::Volume).is_none() || bound != Some(Part::Volume.name(cluster.namespace())) {
                return Ok(Some("it needs a volume that deploy created, and that you may read".to_owned()));
            }
            let may = may(cluster, CHANGE_VOLUMES).await?;
            Ok((!may).then(|| format!("you may not {CHANGE_VOLUMES}")))
        }
    }
}

/// A pod that a Deployment would create now.
fn next(namespace: &str, part: Part, object: &Value) -> anyhow::Result<Pod> {
    let template: PodTemplateSpec = serde_json::from_value(object["spec"]["template"].clone())?;
    Ok(pod_of(&pod_name(part), Some(&namespace.to_owned()), &template))
}

fn pod_name(part: Part) -> String {
    part.name("")
}
