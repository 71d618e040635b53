//! The user's commands, run in a pod.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::preflight::Member;
use crate::context::Ctx;
use crate::kubernetes::act::command;
use crate::kubernetes::exec::{Mode, PIECES, Program, Session, Streams};
use crate::kubernetes::{Cluster, Place, RequestError};
use crate::observe::{Reading, Reason};
use crate::persistence::output::{Digest, Output};
use crate::persistence::rows::Run;

/// How long a command may take: some programs read slowly, and start slowly.
const LIMIT: Duration = Duration::from_mins(2);

/// The variable by which a command can tell one run from another.
const VARIABLE: &str = "KUBECOIN_RUN";

/// As much of stderr as is kept to say why a command failed.
const STDERR: usize = 4 << 10;

/// Runs a command by the pod's shell.
pub async fn run(ctx: &Ctx, run: &Run, member: &Member, text: &str) -> anyhow::Result<Reading<Output>> {
    let cluster = ctx.cluster().await?;
    let words = words(run, text);
    let program = Program { pod: &member.pod, container: &member.container, command: &words };
    Ok(match timeout(LIMIT, execute(cluster, program)).await {
        Ok(Ok(output)) => Reading::Present(output),
        Ok(Err(error)) => Reading::Unknown(error.into()),
        Err(_) => Reading::Unknown(Reason::Failed(format!("still running after {LIMIT:?}"))),
    })
}

/// The same as a command for a shell.
pub fn kubectl(place: &Place, run: &Run, member: &Member, text: &str) -> String {
    let (exec, words) = (["exec", &member.pod, "-c", &member.container, "--"], words(run, text));
    command(place, &exec.into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>())
}

fn words(run: &Run, text: &str) -> Vec<String> {
    ["env", &format!("{VARIABLE}={}", run.as_str()), "sh", "-c", text].map(str::to_owned).into()
}

async fn execute(cluster: &Cluster, program: Program<'_>) -> Result<Output, RequestError> {
    let session = Session::start(cluster, program, Mode::Output).await?;
    let (_, stdin) = mpsc::channel(1);
    let (stdout, mut output) = mpsc::channel::<Bytes>(PIECES);
    let (stderr, mut errors) = mpsc::channel::<Bytes>(PIECES);
    let digest = async {
        let mut digest = Digest::default();
        while let Some(piece) = output.recv().await {
            digest.push(&piece);
        }
        digest
    };
    let said = async {
        let mut said = Vec::new();
        while let Some(piece) = errors.recv().await {
            said.extend_from_slice(&piece);
            let too_much = said.len().saturating_sub(STDERR);
            said.drain(..too_much);
        }
        String::from_utf8_lossy(&said).trim().lines().last().unwrap_or_default().to_owned()
    };
    let carried = session.join(Streams { stdin, stdout, stderr, size: None });
    let (code, digest, said) = tokio::join!(carried, digest, said);
    Ok(digest.end(code?, said))
}
