//! The passwords that PostgreSQL remembers, and those that the backend and the members of a replicated database use.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::ListParams;
use kube::core::ObjectMeta;

use crate::context::Ctx;
use crate::error::{Error, hint_and_code};
use crate::exchange::psql::SetPassword;
use crate::exchange::{names, psql, scram};
use crate::kubernetes::exec::Ended;
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::observe::database::{Credentials, Login};
use crate::observe::{Reading, Reason, Snapshot, container, details, readiness};

/// As many as a namespace ever has.
const MOST: u32 = 100;

/// The Secrets that took the place of the first ones, the newest last.
///
/// # Errors
/// If they cannot be listed.
pub async fn rotated(cluster: &Cluster) -> Result<Vec<Secret>, RequestError> {
    let mut secrets = cluster.list::<Secret>(&ListParams::default().labels(names::ROTATED).limit(MOST)).await?;
    secrets.sort_by_key(|secret| secret.metadata.creation_timestamp.as_ref().map(|time| time.0));
    Ok(secrets)
}

/// The Secrets that are to be used: those that are, or the newest that were made for it. None is the first one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// By the backend.
    pub backend: Option<String>,
    /// By the members of a replicated database.
    pub members: Option<String>,
}

/// What is to be used.
///
/// # Errors
/// If the cluster does not say.
pub async fn in_use(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<InUse> {
    let has_backend = snapshot.deployments.get(names::BACKEND).and_then(Reading::present).is_some();
    let backend = Used::new(names::SECRET, has_backend, snapshot.backend_secret());
    let has_set = snapshot.statefulset.present().is_some();
    // One server has no such Secret.
    let members = Used::new(names::MEMBERS_SECRET, has_set || !snapshot.is_replicated(), snapshot.members_secret());
    if backend.is_first && members.is_first {
        return Ok(InUse::default());
    }
    let there = match rotated(ctx.cluster().await?).await {
        Ok(secrets) => Some(secrets.iter().map(ResourceExt::name_any).collect::<Vec<_>>()),
        // A namespace that is not there yet has none.
        Err(RequestError { cause: Cause::Forbidden(_) | Cause::NotFound(_), .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(InUse { backend: backend.of(there.as_deref()), members: members.of(there.as_deref()) })
}

/// What is known of the Secret that something uses.
struct Used<'a> {
    /// The name of the first one.
    first: &'static str,
    /// Whether it is the first one for certain.
    is_first: bool,
    name: Option<&'a str>,
}

impl<'a> Used<'a> {
    /// Of what is there or not, and names a Secret.
    fn new(first: &'static str, is_there: bool, name: Option<&'a str>) -> Self {
        Self { first, is_first: is_there && name.is_none_or(|name| name == first), name }
    }

    /// Which it is to be of those that have taken the first one's place, the newest last. None if they are not known.
    fn of(&self, there: Option<&[String]>) -> Option<String> {
        if self.is_first {
            return None;
        }
        let Some(there) = there else { return self.name.map(str::to_owned) };
        let mut of_it = there.iter().filter(|name| names::rotation_of(name, self.first).is_some());
        of_it.clone().find(|name| self.name == Some(name)).or(of_it.next_back()).cloned()
    }
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
    set(ctx, pod, secret, login).await
}

async fn set(ctx: &Ctx, pod: &str, secret: &str, Login { role, key, password }: Login) -> anyhow::Result<()> {
    let verifier = scram::verifier(&password);
    let set = SetPassword { pod: pod.to_owned(), secret: secret.to_owned(), key, role, verifier };
    altered(ctx, pod, secret, &ctx.perform(&set).await?)
}

/// Makes PostgreSQL take the passwords that the members of a replicated database use, where it has others. Without that, a member
/// cannot follow: one that is started with a Secret that is newer than the data. Gives the roles whose passwords were changed.
///
/// # Errors
/// If there is no such Secret, if members run that have other passwords by its name, or if PostgreSQL does not do it.
pub async fn take_of_members(ctx: &Ctx, snapshot: &Snapshot, pod: &str, secret: &str) -> anyhow::Result<Vec<String>> {
    let cluster = ctx.cluster().await?;
    let hint = || ctx.own_command("rotate-password --new").to("make one");
    let there = cluster.get::<Secret>(secret).await?;
    let Some((logins, there)) = there.and_then(|there| Some((Login::of_members(&there)?, there))) else {
        return Err(Error::new(format!("there is no secret/{secret} with the passwords of the members"), hint()).into());
    };
    if logins.iter().any(|login| !login.password.is_ascii()) {
        return Err(Error::new(format!("a password of secret/{secret} contains non-ASCII characters"), hint()).into());
    }
    let verifiers = ctx.perform(&psql::verifiers_of_members(pod)).await?;
    if verifiers.code != 0 {
        return Err(Error::new(
            format!("could not compare PostgreSQL's passwords with secret/{secret}: {}", verifiers.stderr.trim()),
            ctx.by_hand.kubectl(["logs", pod]).to("read its log"),
        )
        .into());
    }
    let refused: Vec<Login> = logins.into_iter().filter(|login| !login.is_in(&verifiers.stdout)).collect();
    if !refused.is_empty()
        && let Some(older) = older_than(snapshot, &there)
    {
        return Err(Error::new(
            format!("pod/{older} has other passwords than secret/{secret}, which was created again after it"),
            ctx.own_command("rotate-password --new").to("give all members new ones"),
        )
        .into());
    }
    let mut changed = Vec::new();
    for login in refused {
        changed.push(login.role.clone());
        set(ctx, pod, secret, login).await?;
    }
    Ok(changed)
}

/// A member that was given values of this name before this Secret was created: it goes on with them, and so may the next ones on its
/// node.
fn older_than(snapshot: &Snapshot, secret: &Secret) -> Option<String> {
    let made = |metadata: &ObjectMeta| metadata.creation_timestamp.as_ref().map(|time| time.0);
    let uses = |pod: &&Pod| {
        let spec = pod.spec.as_ref();
        spec.and_then(|spec| container::secret_of(spec, names::MEMBERS_PASSWORD)) == secret.metadata.name.as_deref()
    };
    let mut pods = snapshot.pods_of(names::POSTGRES).filter(uses);
    pods.find(|pod| made(&pod.metadata) < made(&secret.metadata)).map(ResourceExt::name_any)
}

/// The same of what the members are given now, before it is waited for them: a member whose password PostgreSQL refuses does not become
/// ready. If that cannot be done, a warning says so: those that run go on.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn repair_members(ctx: &Ctx) -> anyhow::Result<()> {
    let snapshot = Snapshot::read(ctx.cluster().await?).await?;
    let Some(server) = snapshot.primary().filter(|pod| readiness::pod(pod)) else { return Ok(()) };
    let Some(secret) = snapshot.members_secret() else { return Ok(()) };
    let changed = match take_of_members(ctx, &snapshot, &server.name_any(), secret).await {
        Err(error) if matches!(Cause::of(&error), Some(Cause::Forbidden(_))) => return Ok(()),
        Err(error) if error.is::<Error>() => {
            ctx.printer.warning(&format!("{error:#}"));
            if let (Some(hint), _) = hint_and_code(&error) {
                ctx.printer.hint(hint);
            }
            return Ok(());
        }
        changed => changed?,
    };
    if !changed.is_empty() {
        ctx.printer.note(format!(
            "PostgreSQL had other passwords than secret/{secret} for {}: they were changed to the Secret's (ALTER ROLE)",
            changed.join(", ")
        ));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_that_is_older_than_the_secret_of_its_name_has_other_passwords() {
        let pod = |name: &str, second: u32, secret: &str| -> Pod {
            let from = json!({ "secretKeyRef": { "name": secret, "key": "superuser" } });
            let env = json!([{ "name": names::MEMBERS_PASSWORD, "valueFrom": from }]);
            serde_json::from_value(json!({
                "metadata": { "name": name, "labels": { "app": "postgres" },
                              "creationTimestamp": format!("2026-11-30T12:00:0{second}Z") },
                "spec": { "containers": [{ "name": "postgres", "env": env }] },
            }))
            .unwrap()
        };
        let metadata = json!({ "name": names::MEMBERS_SECRET, "creationTimestamp": "2026-11-30T12:00:05Z" });
        let secret: Secret = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        let older =
            |pods: Vec<Pod>| older_than(&Snapshot { pods: Reading::Present(pods), ..Snapshot::default() }, &secret);
        let (new, other) = (pod("postgres-0", 5, names::MEMBERS_SECRET), pod("postgres-1", 1, "postgres-members-a"));
        assert_eq!(older(vec![new.clone(), other.clone()]), None);
        let old = pod("postgres-2", 4, names::MEMBERS_SECRET);
        assert_eq!(older(vec![new, other, old]).as_deref(), Some("postgres-2"));
    }

    #[test]
    fn the_secret_that_is_used_goes_on_and_else_the_newest_of_its_kind() {
        let there = ["postgres-members-1", "postgres-credentials-1", "postgres-members-2", "postgres-credentials-2"];
        let there = there.map(str::to_owned);
        let of = |is_there: bool, name: Option<&str>, there: Option<&[String]>| {
            Used::new(names::MEMBERS_SECRET, is_there, name).of(there)
        };
        assert_eq!(of(true, Some("postgres-members-1"), Some(&there)).as_deref(), Some("postgres-members-1"));
        assert_eq!(of(true, Some("postgres-members"), Some(&there)), None, "a newer one was never taken");
        assert_eq!(of(true, Some("postgres-members-0"), Some(&there)).as_deref(), Some("postgres-members-2"));
        assert_eq!(of(true, Some("postgres-members-0"), Some(&[])), None, "the first one is made again");
        assert_eq!(of(true, Some("postgres-members-0"), None).as_deref(), Some("postgres-members-0"));
        // After a teardown that kept the data, whose passwords are the newest ones.
        assert_eq!(of(false, None, Some(&there)).as_deref(), Some("postgres-members-2"));
        assert_eq!(of(false, None, Some(&there[1..2])), None);
        assert_eq!(of(false, None, None), None);
    }
}
