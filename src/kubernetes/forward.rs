//! A way to a port of a pod, for one connection.

use k8s_openapi::api::core::v1::Pod;
use tokio::io::{AsyncRead, AsyncWrite, copy, split};

use super::cluster::Cluster;
use super::error::{Cause, RequestError};

/// Joins a connection with a port of a pod until the pod closes it, or the connection is gone.
///
/// # Errors
/// If there is no way to the port, or it breaks off. That the connection itself goes is no error.
pub async fn join<S>(cluster: &Cluster, pod: &str, port: u16, connection: S) -> Result<(), RequestError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asked = format!("forward to port {port} of pod/{pod}");
    let forwarded = cluster.api::<Pod>().portforward(pod, &[port]).await;
    let mut forwarded = forwarded.map_err(cluster.failed(asked.as_str()))?;
    let (Some(stream), Some(refused)) = (forwarded.take_stream(port), forwarded.take_error(port)) else {
        return Err(cluster.error(asked, Cause::Garbled("a stream is missing".to_owned())));
    };
    let (mut from_pod, mut to_pod) = split(stream);
    let (mut from_client, mut to_client) = split(connection);
    // The protocol cannot close one direction alone. A client that has said all is still answered, and so the end of what
    // it says is not handed on.
    let said = async {
        if copy(&mut from_client, &mut to_pod).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    let client_has_gone = tokio::select! {
        answered = copy(&mut from_pod, &mut to_client) => answered.is_err(),
        () = said => true,
    };
    if client_has_gone {
        forwarded.abort();
        return Ok(());
    }
    // All of the streams: else the way would not end.
    drop((from_pod, to_pod));
    match tokio::join!(refused, forwarded.join()) {
        (Some(words), _) => Err(cluster.error(asked, Cause::NotRun(words))),
        (None, Err(error)) => Err(cluster.error(asked, Cause::Lost(error.to_string()))),
        (None, Ok(())) => Ok(()),
    }
}
