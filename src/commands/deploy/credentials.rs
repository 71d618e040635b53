//! The password that PostgreSQL remembers, and the one in the Secret.

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{names, psql};
use crate::observe::database::Credentials;
use crate::observe::{Reading, Reason, Snapshot};

/// Makes PostgreSQL take the Secret's password if it refuses it: a volume whose Secret was deleted remembers another one.
pub async fn repair(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let snapshot = Snapshot::read(cluster).await?;
    let address = snapshot.postgres_pod().and_then(|pod| pod.status.as_ref()?.pod_ip.as_deref());
    let Some(address) = address else { return Ok(()) };
    match Credentials::read(cluster, address).await {
        Reading::Present(Credentials::Refused) => {}
        Reading::Unknown(Reason::Forbidden(_)) => {
            ctx.printer
                .warning("you may not run programs in pods, so it is not known whether PostgreSQL takes the password");
            return Ok(());
        }
        // Whatever else is the matter shows when the exchange is asked.
        _ => return Ok(()),
    }
    let altered = ctx.perform(&psql::alter_password()).await?;
    if altered.code != 0 {
        return Err(Error::new(
            format!(
                "PostgreSQL refuses the password of secret/{}, and it could not be changed: {}",
                names::SECRET,
                altered.stderr.trim()
            ),
            format!("see what it says: kubectl logs {} -n {}", names::POSTGRES_POD, cluster.namespace()),
        )
        .into());
    }
    ctx.printer.note(format!(
        "PostgreSQL remembered another password than that of secret/{}: it takes the Secret's now (ALTER ROLE)",
        names::SECRET
    ));
    Ok(())
}
