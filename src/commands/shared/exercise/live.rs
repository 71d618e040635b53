//! The objects that exercises may touch: as they are now, and changed by what they are now.

use futures_util::future::join_all;
use serde_json::Value;

use crate::kubernetes::act::{Act as _, Patch};
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::lesson::exercise::part::{ALL, Part};
use crate::lesson::exercise::record::Live;

/// How often a patch is tried again that somebody else was faster than.
const TRIES: usize = 10;

/// Reads all at once. What may not be read is left out: no exercise of this user can touch it.
///
/// # Errors
/// If the server does not say.
pub async fn read(cluster: &Cluster) -> Result<Live, RequestError> {
    let all = join_all(ALL.map(|part| one(cluster, part))).await;
    all.into_iter()
        .zip(ALL)
        .filter_map(|(object, part)| Some(object.transpose()?.map(|object| (part, object))))
        .collect()
}

/// One of them: none if it may not be read.
///
/// # Errors
/// If the server does not say.
pub async fn one(cluster: &Cluster, part: Part) -> Result<Option<Option<Value>>, RequestError> {
    match cluster.get_object(&part.object(cluster.namespace(), Value::Null)).await {
        // What was read has a form in JSON.
        Ok(there) => Ok(Some(there.map(|there| serde_json::to_value(there).unwrap_or_default()))),
        Err(error) if error.cause.is_refusal() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Patches one by what it is now, and again if somebody else was faster. Nothing is done where there is no patch. Gives whether that
/// has come to an end: some objects are changed again and again by somebody else.
///
/// # Errors
/// If there can be no patch, or the server does not take it.
pub async fn patch(
    cluster: &Cluster,
    part: Part,
    show: impl Fn(String),
    patch: impl Fn(Option<&Value>) -> anyhow::Result<Option<Value>>,
) -> anyhow::Result<bool> {
    for _ in 0..TRIES {
        let now = one(cluster, part).await?.flatten();
        let Some(mut body) = patch(now.as_ref())? else { return Ok(true) };
        if let Some(now) = &now {
            body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
        }
        let patch = Patch { object: part.object(cluster.namespace(), body) };
        show(patch.kubectl(cluster.place()));
        match patch.execute(cluster).await {
            // It is another one by now, or gone.
            Err(error) if matches!(error.cause, Cause::Conflict { .. } | Cause::NotFound(_)) => {}
            patched => return Ok(patched.map(|_| true)?),
        }
    }
    Ok(false)
}
