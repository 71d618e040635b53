//! A program run in a container: its streams in pieces, both ways at once, and its exit code.

mod wire;

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join3;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, Request};
use kube::client::Connection;
use kube::{Resource, ResourceExt};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::cluster::Cluster;
use super::error::{Cause, RequestError};
use super::socket::{Broken, Patience};
pub use wire::Size;

/// The annotation by which a pod says which of its containers is meant.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The container in which kubectl, too, runs what is not asked for in another one.
#[must_use]
pub fn default_container(pod: &Pod) -> Option<&str> {
    annotated_container(pod).or_else(|| Some(pod.spec.as_ref()?.containers.first()?.name.as_str()))
}

/// The container that the pod itself says is meant. As for kubectl, an empty name is none.
#[must_use]
pub fn annotated_container(pod: &Pod) -> Option<&str> {
    pod.annotations().get(DEFAULT_CONTAINER).map(String::as_str).filter(|name| !name.is_empty())
}

/// A program in a container.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The pod's name.
    pub pod: &'a str,
    /// The container's name.
    pub container: &'a str,
    /// The program and its arguments. These are seen by everybody on the node.
    pub command: &'a [String],
}

impl Program<'_> {
    fn asked(&self) -> String {
        // Variables that are set for the program are not what was asked for.
        let mut words = self.command.iter().filter(|word| *word != "env" && !word.contains('='));
        format!("run {} in pod/{}", words.next().map_or("a program", String::as_str), self.pod)
    }
}

/// How a program is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It reads nothing.
    Output,
    /// It reads, and writes to stdout and stderr.
    Pipes,
    /// It has a terminal, which is all of the three.
    Terminal,
}

/// As many pieces as wait at once in the channel of a stream: enough to keep both ends busy.
pub const PIECES: usize = 8;

/// A program's streams, in pieces of any size. Channels are bounded, and so whoever is slow holds up the other end.
///
/// The end of stdin is its sender being dropped; of the others, their receivers getting nothing more. What nobody
/// receives any more is thrown away.
#[derive(Debug)]
pub struct Streams {
    /// What the program reads. Whether it is looked at depends on the mode.
    pub stdin: mpsc::Receiver<Bytes>,
    /// What it writes to stdout.
    pub stdout: mpsc::Sender<Bytes>,
    /// What it writes to stderr; on a terminal that is part of stdout.
    pub stderr: mpsc::Sender<Bytes>,
    /// The terminal's size, where it has one: the first, and every other.
    pub size: Option<watch::Receiver<Size>>,
}

/// A program that was asked for, with the connection to it.
pub struct Session {
    cluster: Cluster,
    asked: String,
    mode: Mode,
    connection: Connection,
}

impl Session {
    /// Asks for a program. Where it cannot be run, that may be known only by [`Session::join`].
    ///
    /// # Errors
    /// If the server does not take it.
    pub async fn start(cluster: &Cluster, program: Program<'_>, mode: Mode) -> Result<Self, RequestError> {
        let asked = program.asked();
        let params = AttachParams::default()
            .container(program.container)
            .stdin(mode != Mode::Output)
            .stdout(true)
            .stderr(mode != Mode::Terminal)
            .tty(mode == Mode::Terminal);
        let pods = Request::new(Pod::url_path(&(), Some(cluster.namespace())));
        let connection = match pods.exec(program.pod, program.command, &params) {
            Ok(request) => cluster.client.connect(request).await,
            Err(error) => Err(kube::Error::BuildRequest(error)),
        };
        let connection = connection.map_err(cluster.failed(asked.as_str()))?;
        if mode == Mode::Pipes && !connection.supports_stream_close() {
            let why = "this server cannot signal the end of a program's input (Kubernetes 1.30 can)";
            return Err(cluster.error(asked, Cause::NotRun(why.to_owned())));
        }
        Ok(Self { cluster: cluster.clone(), asked, mode, connection })
    }

    /// Carries the streams until the program has ended, and gives its exit code.
    ///
    /// # Errors
    /// If it was not run, or the connection is lost before its exit code is known.
    pub async fn join(self, streams: Streams) -> Result<i32, RequestError> {
        let Self { cluster, asked, mode, connection } = self;
        let Streams { stdin, stdout, stderr, size } = streams;
        let stdin = (mode != Mode::Output).then_some(stdin);
        let ended = wire::carry(connection.into_stream(), stdin, (stdout, stderr), size, Patience::default()).await;
        match ended {
            Ok(status) => exit_code(&status).ok_or_else(|| {
                cluster.error(asked, Cause::NotRun(status.message.unwrap_or_else(|| "it does not say why".to_owned())))
            }),
            Err(Broken(why)) => Err(cluster.error(asked, Cause::Lost(why))),
        }
    }
}

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

/// Runs a program to its end, with little to read and little to write.
///
/// # Errors
/// If it cannot be run, does not end in time, or the connection is lost before its exit code is known. A program that ran
/// and failed is no error here.
pub async fn run(cluster: &Cluster, program: Program<'_>, stdin: &str, limit: Duration) -> Result<Ended, RequestError> {
    run_aloud(cluster, program, stdin, limit, |_| ()).await
}

/// The same, and lets somebody hear what has come of stdout, each time that there is more of it.
///
/// # Errors
/// As [`run`].
pub async fn run_aloud(
    cluster: &Cluster,
    program: Program<'_>,
    stdin: &str,
    limit: Duration,
    heard: impl Fn(&[u8]),
) -> Result<Ended, RequestError> {
    let running = async {
        let session = Session::start(cluster, program, Mode::Pipes).await?;
        let (input, stdin_pieces) = mpsc::channel(1);
        let (stdout, output) = mpsc::channel(PIECES);
        let (stderr, errors) = mpsc::channel(PIECES);
        let text = Bytes::copy_from_slice(stdin.as_bytes());
        // There is room for it.
        let _ = input.try_send(text);
        drop(input);
        let streams = Streams { stdin: stdin_pieces, stdout, stderr, size: None };
        let (code, stdout, stderr) =
            join3(session.join(streams), text_of(output, heard), text_of(errors, |_| ())).await;
        Ok(Ended { code: code?, stdout, stderr })
    };
    let too_long = |_| Err(cluster.error(program.asked(), Cause::TimedOut(format!("still running after {limit:?}"))));
    timeout(limit, running).await.unwrap_or_else(too_long)
}

/// All of a stream.
async fn text_of(mut pieces: mpsc::Receiver<Bytes>, heard: impl Fn(&[u8])) -> String {
    let mut all = Vec::new();
    while let Some(piece) = pieces.recv().await {
        all.extend_from_slice(&piece);
        heard(&all);
    }
    String::from_utf8_lossy(&all).into_owned()
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
