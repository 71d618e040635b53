//! The page of the exchange, at a port of this machine.

mod browser;
mod forwarding;
mod port;

use tokio::net::TcpListener;

use super::glance;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::command;
use crate::observe::{Reading, Reason, Snapshot, path, readiness};

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
    let Some(inside) = page_port(ctx, &glance(ctx).await?)? else { return Ok(None) };
    let wanted = port.unwrap_or_else(|| port::of_namespace(cluster.namespace()));
    let (listener, port) = port::listen(wanted).await?;
    if port != wanted {
        ctx.printer.warning(&format!("port {wanted} of this machine is in use: using {port} instead"));
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
                printer.warning(&format!("the page is no longer served: {error:#}"));
            }
        });
        Ok(())
    }
}

/// The page's port in its pod, if a pod is ready.
fn page_port(ctx: &Ctx, snapshot: &Snapshot) -> Result<Option<u16>, Error> {
    match &snapshot.pods {
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => {
            Err(Error::new(format!("could not list the page's pods: {why}"), ctx.by_hand.check_permissions()))
        }
        _ => Ok(snapshot.pods_of(names::FRONTEND).find(|pod| readiness::pod(pod)).map(path::page_port)),
    }
}

fn address(port: u16, wallet: Option<&str>) -> String {
    let path = wallet.map_or_else(String::new, |id| format!("w/{id}"));
    format!("http://127.0.0.1:{port}/{path}")
}

/// Opens an address in a browser, or says why not.
pub fn browse(ctx: &Ctx, address: &str) {
    if !browser::has_room() {
        ctx.printer.note("no desktop found: open the address in a browser on this machine");
    } else if let Err(error) = browser::start(address) {
        ctx.printer.warning(&format!("could not start a browser; open the address yourself: {error}"));
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
