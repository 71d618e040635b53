//! A program run in a container, fed and read to its end.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::cluster::Cluster;
use super::error::{Cause, RequestError};

/// How a program ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

const STDOUT_BUFFER: usize = 256 << 10;
const OTHER_BUFFER: usize = 64 << 10;

/// Runs a program in a container of a pod of the namespace.
///
/// # Errors
/// If it cannot be run, does not end in time, or the connection is lost before its exit code is known. A program that ran
/// and failed is no error here.
pub async fn run(
    cluster: &Cluster,
    pod: &str,
    container: &str,
    command: &[String],
    stdin: &str,
    limit: Duration,
) -> Result<Ended, RequestError> {
    let program = command.first().map_or("", String::as_str);
    let asked = format!("run {program} in pod/{pod}");
    match timeout(limit, piped(cluster, &asked, (pod, container), command, stdin)).await {
        Ok(ended) => ended,
        Err(_) => Err(cluster.error(asked, Cause::TimedOut(format!("not ended after {limit:?}")))),
    }
}

async fn piped(
    cluster: &Cluster,
    asked: &str,
    (pod, container): (&str, &str),
    command: &[String],
    stdin: &str,
) -> Result<Ended, RequestError> {
    let params = AttachParams::default()
        .container(container)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .max_stdin_buf_size(OTHER_BUFFER)
        .max_stdout_buf_size(STDOUT_BUFFER)
        .max_stderr_buf_size(OTHER_BUFFER);
    let broken = |why: &str| cluster.error(asked, Cause::Garbled(why.to_owned()));
    let pods = cluster.api::<Pod>();
    let mut process = pods.exec(pod, command, &params).await.map_err(cluster.failed(asked))?;
    let (Some(status), Some(mut input), Some(stdout), Some(stderr)) =
        (process.take_status(), process.stdin(), process.stdout(), process.stderr())
    else {
        return Err(broken("a stream is missing"));
    };

    let (lost, is_lost) = watch::channel(false);
    // Only a shutdown tells the program that its input has ended.
    let feed = async {
        input.write_all(stdin.as_bytes()).await?;
        input.shutdown().await
    };
    let wait = async {
        tokio::pin!(feed, status);
        let mut all_fed = false;
        let status = loop {
            tokio::select! {
                status = &mut status => break status,
                // A program may end without reading its input: its exit code says more than a broken pipe.
                _ = &mut feed, if !all_fed => all_fed = true,
            }
        };
        if status.is_none() {
            lost.send_replace(true);
        }
        status
    };
    let (status, stdout, stderr) = tokio::join!(wait, drain(stdout, is_lost.clone()), drain(stderr, is_lost.clone()));
    let Some(status) = status else {
        let why = process.join().await.err().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(
            cluster.error(asked, Cause::Unreachable(format!("the connection ended before the program did{why}")))
        );
    };
    match exit_code(&status) {
        Some(code) => Ok(Ended { code, stdout, stderr }),
        None => Err(broken(&status.message.unwrap_or_default())),
    }
}

/// Reads to the end, or, once the connection is lost, until nothing more is buffered: then no end comes.
async fn drain(mut stream: impl AsyncRead + Unpin, mut lost: watch::Receiver<bool>) -> String {
    let mut bytes = Vec::new();
    loop {
        let read = tokio::select! { biased;
            read = stream.read_buf(&mut bytes) => read,
            _ = lost.wait_for(|lost| *lost) => break,
        };
        if !matches!(read, Ok(1..)) {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A closed connection without a status is no success: only the status says how the program ended.
fn exit_code(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?.message.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(status: serde_json::Value) -> Option<i32> {
        exit_code(&serde_json::from_value(status).unwrap())
    }

    #[test]
    fn the_exit_code_is_where_the_kubelet_puts_it() {
        assert_eq!(code(json!({ "status": "Success" })), Some(0));
        let causes = json!([{ "reason": "ExitCode", "message": "3" }]);
        assert_eq!(code(json!({ "status": "Failure", "details": { "causes": causes } })), Some(3));
    }

    #[test]
    fn a_failure_without_one_is_not_a_success() {
        assert_eq!(code(json!({ "status": "Failure", "message": "no such container" })), None);
        assert_eq!(code(json!({})), None);
    }
}
