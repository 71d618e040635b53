//! `open`: the page, at a port of this machine.

mod browser;
mod forwarding;
mod port;

use tokio::net::TcpListener;

use crate::commands::waiting;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::{names, wallets};
use crate::kubernetes::act::command;
use crate::observe::{Reading, Reason, Snapshot, readiness};
use crate::output::{Line, Role};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin open
  kubectl kubecoin open --wallet anna        # her wallet
  kubectl kubecoin open --no-browser         # only print the address
  kubectl kubecoin open --port 8080          # at this port, or the next one that is free

It goes on until Ctrl-C, also while the pod of the page is replaced, and listens to this
machine alone. A namespace has the same port each time.";

/// What `open` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Open this wallet
    #[arg(long, value_name = "ID", value_parser = wallets::id)]
    wallet: Option<String>,

    /// The port of this machine; by default one that belongs to the namespace
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
    let Some(page) = listen(ctx, args.port).await? else {
        return not_ready(ctx).await;
    };
    let address = page.address(args.wallet.as_deref());
    ctx.printer.out(address.as_str())?;
    ctx.printer.note(
        Line::from("the page of namespace ")
            .and(Role::Title, ctx.cluster().await?.namespace())
            .and(Role::Plain, " is there as long as this runs; Ctrl-C ends it"),
    );
    if !args.no_browser {
        browse(ctx, &address);
    }
    page.serve(ctx).await?;
    Ok(Outcome::Holds)
}

/// The page, at a port of this machine that nobody else has.
pub struct Page {
    listener: TcpListener,
    port: u16,
}

/// Takes a port for the page: this one or, without, the namespace's; if it is not free, another one. None if no pod of the page
/// is ready.
///
/// # Errors
/// If the cluster cannot be asked, or no port of this machine is free.
pub async fn listen(ctx: &Ctx, port: Option<u16>) -> anyhow::Result<Option<Page>> {
    let cluster = ctx.cluster().await?;
    let Some(inside) = page_port(ctx, &super::glance(ctx).await?)? else { return Ok(None) };
    let wanted = port.unwrap_or_else(|| port::of_namespace(cluster.namespace()));
    let (listener, port) = port::listen(wanted).await?;
    if port != wanted {
        ctx.printer.warning(&format!("port {wanted} of this machine is taken: it is {port} this time"));
    }
    let ports = format!("{port}:{inside}");
    ctx.show(|| command(cluster.place(), &["port-forward", &format!("deployment/{}", names::FRONTEND), &ports]));
    Ok(Some(Page { listener, port }))
}

impl Page {
    /// The address of the page, or of a wallet on it.
    #[must_use]
    pub fn address(&self, wallet: Option<&str>) -> String {
        address(self.port, wallet)
    }

    /// Serves it until this is dropped.
    ///
    /// # Errors
    /// If this machine gives no more connections.
    pub async fn serve(self, ctx: &Ctx) -> anyhow::Result<()> {
        forwarding::accept(self.listener, ctx.cluster().await?, ctx.printer).await
    }

    /// Serves it beside other work, until this program ends.
    ///
    /// # Errors
    /// If there is no cluster to serve it from.
    pub async fn serve_meanwhile(self, ctx: &Ctx) -> anyhow::Result<()> {
        let (cluster, printer) = (ctx.cluster().await?.clone(), ctx.printer);
        tokio::spawn(async move {
            if let Err(error) = forwarding::accept(self.listener, &cluster, printer).await {
                printer.warning(&format!("the page is not served any more: {error:#}"));
            }
        });
        Ok(())
    }
}

/// The page's port in its pod, if a pod is ready.
fn page_port(ctx: &Ctx, snapshot: &Snapshot) -> Result<Option<u16>, Error> {
    match &snapshot.pods {
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => Err(Error::new(
            format!("could not list the pods of the page: {why}"),
            ctx.by_hand.kubectl("auth can-i --list").to("see what you may do"),
        )),
        _ => Ok(snapshot.pods_of(names::FRONTEND).find(|pod| readiness::pod(pod)).map(forwarding::port)),
    }
}

async fn not_ready(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut reasons = waiting::reasons(ctx, names::FRONTEND).await?;
    if reasons.is_empty() {
        // That nothing is deployed concerns every app, and is said of the first.
        reasons = waiting::reasons(ctx, names::POSTGRES).await?;
    }
    ctx.printer.error("there is no page to open: no pod of the frontend is ready");
    for finding in &reasons {
        ctx.printer.note(waiting::line(finding));
    }
    match reasons.first() {
        Some(finding) => ctx.printer.hint(&finding.hint),
        None => ctx.printer.hint(ctx.own_command("status").to("see how it is")),
    }
    Ok(Outcome::DoesNotHold)
}

fn address(port: u16, wallet: Option<&str>) -> String {
    let path = wallet.map_or_else(String::new, |id| format!("w/{id}"));
    format!("http://127.0.0.1:{port}/{path}")
}

/// Opens an address in a browser, or says why not.
pub fn browse(ctx: &Ctx, address: &str) {
    if !browser::has_room() {
        ctx.printer.note("there is no desktop here: open the address in a browser of this machine");
    } else if let Err(error) = browser::start(address) {
        ctx.printer.warning(&format!("no browser could be started, so open the address yourself: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_has_an_address_of_its_own() {
        assert_eq!(address(20_001, None), "http://127.0.0.1:20001/");
        assert_eq!(address(20_001, Some("lucky-otter-1")), "http://127.0.0.1:20001/w/lucky-otter-1");
    }
}
