//! The objects that exercises may touch, as they are now.

use futures_util::future::join_all;
use serde_json::Value;

use crate::kubernetes::{Cluster, RequestError};
use crate::lesson::exercise::part::{ALL, Part};
use crate::lesson::exercise::record::Live;

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
