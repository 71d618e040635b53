//! `version`: this plugin's, and the server's; and that of the newest release, if somebody asks.

mod latest;

use clap::ValueEnum;
use k8s_openapi::api::authentication::v1::UserInfo;
use serde::Serialize;

use crate::context::Ctx;
use crate::error::Outcome;
use crate::kubernetes::{Cluster, RequestError, act};
use crate::text::json;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin version
  kubectl kubecoin version --client     # without a cluster
  kubectl kubecoin version --check      # is there a newer version?
  kubectl kubecoin version -o json";

/// What `version` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show only the plugin's version
    #[arg(long)]
    client: bool,

    /// Ask GitHub for the latest version too; only this flag does that
    #[arg(long)]
    check: bool,

    /// Output format
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    client_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_version: Option<String>,
    /// Who one is for the server, as `kubectl auth whoami` says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserInfo>,
}

/// Shows the versions.
///
/// # Errors
/// If the server does not answer.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut versions = Versions {
        client_version: concat!("v", env!("CARGO_PKG_VERSION")),
        latest_version: None,
        server_version: None,
        user: None,
    };
    let show = |name: &str, version: &str| match args.output {
        None => ctx.printer.out(format!("{name} Version: {version}")),
        Some(Format::Json) => Ok(()),
    };
    show("Client", versions.client_version)?;
    if !args.client {
        let cluster = ctx.cluster().await?;
        ctx.show(|| act::command(cluster.place(), &["version"]));
        let server = cluster.version().await?.git_version;
        show("Server", &server)?;
        versions.server_version = Some(server);
        if args.output.is_some() {
            ctx.show(|| act::command(cluster.place(), &["auth", "whoami", "-o", "json"]));
            versions.user = user(cluster).await?;
        }
    }
    if args.check {
        let latest = latest::release().await?;
        show("Latest", &latest)?;
        if latest::is_newer(&latest, versions.client_version) {
            ctx.printer.hint(latest::how_to_get_it());
        }
        versions.latest_version = Some(latest);
    }
    if let Some(Format::Json) = args.output {
        ctx.printer.out_text(&json::text("Version", &versions)?)?;
    }
    Ok(Outcome::Holds)
}

/// Who one is. Older servers do not say.
async fn user(cluster: &Cluster) -> Result<Option<UserInfo>, RequestError> {
    match cluster.user().await {
        Ok(user) => Ok(Some(user)),
        Err(error) if error.cause.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
