//! `version`: this plugin's, and the server's.

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
  kubectl kubecoin version -o json";

/// What `version` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show only the plugin's version
    #[arg(long)]
    client: bool,

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
    let mut versions =
        Versions { client_version: concat!("v", env!("CARGO_PKG_VERSION")), server_version: None, user: None };
    if !args.client {
        let cluster = ctx.cluster().await?;
        ctx.show(|| act::command(cluster.place(), &["version"]));
        versions.server_version = Some(cluster.version().await?.git_version);
        if args.output.is_some() {
            ctx.show(|| act::command(cluster.place(), &["auth", "whoami", "-o", "json"]));
            versions.user = user(cluster).await?;
        }
    }
    if let Some(Format::Json) = args.output {
        ctx.printer.out_text(&json::text("Version", &versions)?)?;
    } else {
        ctx.printer.out(format!("Client Version: {}", versions.client_version))?;
        if let Some(server) = versions.server_version {
            ctx.printer.out(format!("Server Version: {server}"))?;
        }
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
