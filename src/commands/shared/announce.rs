//! Where something is about to be changed.

use crate::context::Ctx;
use crate::kubernetes::version::made_for;
use crate::output::{Line, Role};

/// Says where something is about to be changed. People have production clusters in the same kubeconfig.
pub async fn announce(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let version = cluster.version().await?;
    let place = cluster.place();
    let context = match place.context.as_str() {
        "" => Line::default(),
        context => Line::from("context ").and(Role::Title, context).and(Role::Plain, ", "),
    };
    ctx.printer.note(
        context
            .and(Role::Plain, "namespace ")
            .and(Role::Title, &place.namespace)
            .and(Role::Plain, format!(", server {} ({})", version.git_version, place.server)),
    );
    if let Err(why) = made_for(&version) {
        ctx.printer.warning(&why);
    }
    Ok(())
}
