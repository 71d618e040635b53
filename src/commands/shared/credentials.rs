//! The password that PostgreSQL remembers, and the one that the backend uses.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::ListParams;

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::psql::SetPassword;
use crate::exchange::{names, psql, scram};
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::observe::database::{Credentials, Login};
use crate::observe::{Reading, Reason, Snapshot, details};

/// As many as a namespace ever has.
const MOST: u32 = 100;

/// The Secrets that took the place of the first one, the newest last.
///
/// # Errors
/// If they cannot be listed.
pub async fn rotated(cluster: &Cluster) -> Result<Vec<Secret>, RequestError> {
    let mut secrets = cluster.list::<Secret>(&ListParams::default().labels(names::ROTATED).limit(MOST)).await?;
    secrets.sort_by_key(|secret| secret.metadata.creation_timestamp.as_ref().map(|time| time.0));
    Ok(secrets)
}

/// The Secret that the backend is to use: the one that it uses, or the newest that was made for it. None is the first one.
///
/// # Errors
/// If the cluster does not say.
pub async fn in_use(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Option<String>> {
    let used = snapshot.backend_secret();
    let backend = snapshot.deployments.get(names::BACKEND).and_then(Reading::present);
    if backend.is_some() && matches!(used, None | Some(names::SECRET)) {
        return Ok(None);
    }
    let there: Vec<String> = match rotated(ctx.cluster().await?).await {
        Ok(secrets) => secrets.iter().map(ResourceExt::name_any).collect(),
        // A namespace that is not there yet has none.
        Err(RequestError { cause: Cause::Forbidden(_) | Cause::NotFound(_), .. }) => return Ok(used.map(str::to_owned)),
        Err(error) => return Err(error.into()),
    };
    Ok(there.iter().find(|name| used == Some(name)).or(there.last()).cloned())
}

/// Makes PostgreSQL take the password that the backend uses if it refuses it: a volume whose Secret was deleted remembers
/// another one.
///
/// # Errors
/// If it cannot be made to.
pub async fn repair(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let snapshot = Snapshot::read(cluster).await?;
    let Some(server) = snapshot.primary() else { return Ok(()) };
    match details::credentials(&snapshot, cluster, &server.name_any()).await {
        Reading::Present(Credentials::Refused) => {}
        Reading::Unknown(Reason::Forbidden(_)) => {
            ctx.printer
                .warning("you may not run commands in pods, so it is unknown whether PostgreSQL accepts the password");
            return Ok(());
        }
        // Whatever else is the matter shows when the exchange is asked.
        _ => return Ok(()),
    }
    let (pod, secret) = (server.name_any(), snapshot.backend_secret().unwrap_or(names::SECRET));
    match secret {
        names::SECRET => altered(ctx, &pod, secret, &ctx.perform(&psql::alter_password(&pod)).await?)?,
        rotated => take(ctx, &pod, rotated).await?,
    }
    ctx.printer.note(format!(
        "PostgreSQL had another password than secret/{secret}: it was changed to the Secret's (ALTER ROLE)"
    ));
    Ok(())
}

/// Makes the server of a pod take the password of a Secret.
///
/// # Errors
/// If there is no such Secret, or PostgreSQL does not do it.
pub async fn take(ctx: &Ctx, pod: &str, secret: &str) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let hint = || ctx.own_command("rotate-password --new").to("make one");
    let Some(login) = Login::read(cluster, secret).await? else {
        return Err(Error::new(format!("there is no secret/{secret} with a username and a password"), hint()).into());
    };
    if !login.password.is_ascii() {
        return Err(Error::new(format!("the password of secret/{secret} contains non-ASCII characters"), hint()).into());
    }
    let verifier = scram::verifier(&login.password);
    let set = SetPassword { pod: pod.to_owned(), secret: secret.to_owned(), role: login.role, verifier };
    altered(ctx, pod, secret, &ctx.perform(&set).await?)
}

fn altered(ctx: &Ctx, pod: &str, secret: &str, ended: &Ended) -> anyhow::Result<()> {
    if ended.code == 0 {
        return Ok(());
    }
    Err(Error::new(
        format!("could not set the password of secret/{secret} in PostgreSQL: {}", ended.stderr.trim()),
        ctx.by_hand.kubectl(["logs", pod]).to("read its log"),
    )
    .into())
}
