//! `open`: the page, at a port of this machine.

use super::shared::{page, waiting};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::{names, wallets};
use crate::output::{Line, Role};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin open
  kubectl kubecoin open --wallet anna        # open Anna's wallet
  kubectl kubecoin open --no-browser         # only print the address
  kubectl kubecoin open --port 8080          # use this port, or the next free one

It runs until Ctrl-C, also while the page's pod is replaced. Only this machine can connect. Each namespace gets the same port every time.";

/// What `open` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Open this wallet
    #[arg(long, value_name = "ID", value_parser = wallets::id)]
    wallet: Option<String>,

    /// Port on this machine [default: one for each namespace]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
}

/// Forwards until interrupted, or says why there is nothing to forward to.
///
/// # Errors
/// If the cluster cannot be asked, or no port of this machine is free.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let Some(page) = page::listen(ctx, args.port).await? else {
        return not_ready(ctx).await;
    };
    let address = page.address(args.wallet.as_deref());
    ctx.printer.out(address.as_str())?;
    ctx.printer.note(
        Line::from("serving the page of namespace ")
            .and(Role::Title, ctx.cluster().await?.namespace())
            .and(Role::Plain, "; press Ctrl-C to stop"),
    );
    if !args.no_browser {
        page::browse(ctx, &address);
    }
    page.serve(ctx).await?;
    Ok(Outcome::Holds)
}

async fn not_ready(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut reasons = waiting::reasons(ctx, names::FRONTEND).await?;
    if reasons.is_empty() {
        // That nothing is deployed concerns every app, and is said of the first.
        reasons = waiting::reasons(ctx, names::POSTGRES).await?;
    }
    ctx.printer.error("cannot open the page: no frontend pod is ready");
    for finding in &reasons {
        ctx.printer.note(waiting::line(finding));
    }
    match reasons.first() {
        Some(finding) => ctx.printer.hint(&finding.hint),
        None => ctx.printer.hint(ctx.own_command("status").to("check its status")),
    }
    Ok(Outcome::DoesNotHold)
}
