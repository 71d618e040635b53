//! Asks before something is lost.

use std::io::{IsTerminal as _, stdin};

use super::Args;
use crate::commands::shared::confirm::{is_local, line};
use crate::context::Ctx;
use crate::error::Error;
use crate::output::{Line, Role};

/// Has the user type the namespace's name where data would be lost, or on a cluster that may be others' too. Gives whether
/// the user agrees.
pub async fn ask(args: &Args, ctx: &Ctx) -> anyhow::Result<bool> {
    let place = ctx.cluster().await?.place();
    let harmless = !args.delete_data && is_local(place);
    if args.yes || harmless {
        return Ok(true);
    }
    let what = if args.delete_data {
        format!("the exchange in namespace {} and ALL ITS DATA will be deleted", place.namespace)
    } else {
        format!("the exchange in namespace {} will be deleted, and others may use this cluster", place.namespace)
    };
    if !stdin().is_terminal() {
        return Err(Error::new(
            format!("{what} (context {}); this needs a confirmation, but there is no terminal", place.context),
            "confirm with --yes",
        )
        .into());
    }
    ctx.printer.warning(&what);
    let name = &place.namespace;
    ctx.printer
        .note(Line::from("type ").and(Role::Title, name).and(Role::Plain, ", the namespace's name, to continue:"));
    let agreed = line().await.is_some_and(|line| line.trim() == name);
    if !agreed {
        ctx.printer.note("wrong name: nothing was changed");
    }
    Ok(agreed)
}
