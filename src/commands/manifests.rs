//! `manifests`: the exchange as YAML, for `kubectl apply -f` and for Git.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{PodTemplateSpec, Secret, Service};
use kube::ResourceExt;
use kube::core::ObjectMeta;

use super::shared::settle::settle;
use super::shared::shape::Shape;
use super::shared::snapshot_of_any;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::objects::{self, Objects};
use crate::exchange::settings::{ServiceType, Settings, Storage};
use crate::exchange::{manifests, marks, names};
use crate::kubernetes::Object;
use crate::observe::{Reading, Snapshot, container};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin manifests -n alice | kubectl diff -f -
  kubectl kubecoin manifests --output-directory k8s     # one file per object
  kubectl kubecoin manifests --from-cluster             # like the running exchange
  kubectl kubecoin manifests --client --storage dynamic # without a cluster

Like deploy, it keeps settings of the running exchange that cannot be changed. The password is left out: deploy creates the Secret, or --include-secrets writes it.";

/// The mode of a file that nobody else may read.
const OWNERS: u32 = 0o600;

/// What `manifests` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What the objects look like.
    #[command(flatten)]
    shape: Shape,

    /// Fill in what no flag gives from the running exchange, images too
    #[arg(long, conflicts_with = "client")]
    from_cluster: bool,

    /// Do not contact a cluster; use defaults
    #[arg(long)]
    client: bool,

    /// Write the Secret too: the one in the cluster, or a new one with a new password
    #[arg(long)]
    include_secrets: bool,

    /// Write one file per object into this directory, instead of all to stdout
    #[arg(long, value_name = "DIR")]
    output_directory: Option<PathBuf>,
}

/// Writes them.
///
/// # Errors
/// If the flags do not go together or with what is there, or a file cannot be written.
pub async fn run(args: Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    args.shape.check()?;
    let settings = settings(&args, ctx).await?;
    let mut all = Objects::new(&settings)?.in_order()?;
    if args.include_secrets {
        let secrets = secrets(&args, ctx, &settings).await?;
        all.splice(0..0, secrets);
    } else {
        let name = settings.credentials.as_deref().unwrap_or(names::SECRET);
        let members = settings.members_secret.as_deref().unwrap_or(names::MEMBERS_SECRET);
        ctx.printer.note(match settings.members {
            None => format!("secret/{name} is left out; --include-secrets writes it too"),
            Some(_) => format!("secret/{name} and secret/{members} are left out; --include-secrets writes them too"),
        });
    }
    match &args.output_directory {
        None => {
            for object in &all {
                ctx.printer.out_text(&manifests::document(object)?)?;
            }
        }
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
            for object in &all {
                let path = folder.join(manifests::file(object));
                write(&path, object).map_err(|error| not_written(&path, &error))?;
                ctx.printer.out(format!("{} written", path.display()))?;
            }
        }
    }
    Ok(Outcome::Holds)
}

async fn settings(args: &Args, ctx: &Ctx) -> anyhow::Result<Settings> {
    if args.client {
        return Ok(args.shape.alone(&ctx.namespace().await?)?);
    }
    let snapshot = snapshot_of_any(ctx).await?;
    if !args.from_cluster {
        let settings = settle(&args.shape, ctx, &snapshot).await?;
        return match (settings.members, snapshot.replicas()) {
            (Some(wanted), Some(there)) if wanted < there => Err(fewer(ctx, wanted, there).into()),
            _ => Ok(settings),
        };
    }
    if snapshot.is_empty() {
        let namespace = ctx.namespace().await?;
        return Err(Error::new(
            format!("no exchange runs in namespace {namespace:?}"),
            ctx.own_command("status -A").to("omit --from-cluster, or list the exchanges"),
        )
        .into());
    }
    let mut settings = settle(&as_it_runs(args.shape.clone(), &snapshot), ctx, &snapshot).await?;
    if let (Storage::Static { hostname, .. }, Some(volume)) = (&mut settings.storage, snapshot.volumes().next()) {
        *hostname = marks::pinned_to(volume);
    }
    Ok(settings)
}

/// Why these files are not written: whoever applies them removes members at once, and the primary may be among them.
fn fewer(ctx: &Ctx, wanted: u32, there: u32) -> Error {
    Error::new(
        format!(
            "the database has {there} members: applying these files would remove {} of them at once",
            there - wanted
        ),
        ctx.own_command(["deploy", "--ha", "--replicas", &wanted.to_string()]).to("remove them one after another"),
    )
}

/// The flags, and for what they do not say, what runs.
fn as_it_runs(mut shape: Shape, snapshot: &Snapshot) -> Shape {
    let image =
        |template: &PodTemplateSpec, app: &str| container::image(template.spec.as_ref()?, app).map(str::to_owned);
    let deployment = |app: &str| {
        let deployment = snapshot.deployments.get(app)?.present()?;
        image(&deployment.spec.as_ref()?.template, app)
    };
    let set = || image(&snapshot.statefulset.present()?.spec.as_ref()?.template, names::POSTGRES);
    if shape.registry.is_none() {
        shape.postgres_image = shape.postgres_image.or_else(set);
        shape.backend_image = shape.backend_image.or_else(|| deployment(names::BACKEND));
        shape.frontend_image = shape.frontend_image.or_else(|| deployment(names::FRONTEND));
    }
    if let Some(page) = snapshot.services.get(names::FRONTEND_SERVICE).and_then(Reading::present) {
        shape.service_type = shape.service_type.or_else(|| service_type(page));
        if shape.service_type == Some(ServiceType::NodePort) {
            shape.node_port = shape.node_port.or_else(|| asked_port(page));
        }
    }
    shape
}

fn service_type(service: &Service) -> Option<ServiceType> {
    let is = service.spec.as_ref()?.type_.as_deref()?;
    [ServiceType::NodePort, ServiceType::ClusterIp].into_iter().find(|one| one.name() == is)
}

/// The port at every node if somebody asked for it: one that the cluster picked is nobody's field, and no part of this.
fn asked_port(service: &Service) -> Option<u16> {
    let owned =
        service.metadata.managed_fields.iter().flatten().any(|entry| {
            entry.fields_v1.as_ref().is_some_and(|fields| fields.0.to_string().contains("\"f:nodePort\""))
        });
    let port = service.spec.as_ref()?.ports.as_ref()?.first()?.node_port?;
    u16::try_from(port).ok().filter(|_| owned)
}

/// The Secrets that the objects name: as they are, or what `deploy` would create.
async fn secrets(args: &Args, ctx: &Ctx, settings: &Settings) -> anyhow::Result<Vec<Object>> {
    let there = async |name: &str| -> anyhow::Result<Option<Secret>> {
        Ok(if args.client { None } else { ctx.cluster().await?.get(name).await?.map(bare) })
    };
    let mut all = Vec::new();
    for new in objects::secrets(settings)? {
        let secret = there(&new.name_any()).await?.unwrap_or(new);
        all.push(Object::of(&secret)?);
    }
    for rotated in settings.credentials.iter().chain(&settings.members_secret) {
        if let Some(secret) = there(rotated).await? {
            all.push(Object::of(&secret)?);
        }
    }
    Ok(all)
}

/// A Secret without what the server has added.
fn bare(secret: Secret) -> Secret {
    let ObjectMeta { name, namespace, labels, .. } = secret.metadata;
    let metadata = ObjectMeta { name, namespace, labels, ..ObjectMeta::default() };
    Secret { metadata, ..secret }
}

/// Writes a file. A Secret's is for the user's eyes alone, also where one is there already that is for everybody's.
fn write(path: &Path, object: &Object) -> anyhow::Result<()> {
    let secret = object.resource.kind == "Secret";
    let mode = if secret { OWNERS } else { 0o644 };
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    if secret {
        file.set_permissions(fs::Permissions::from_mode(OWNERS))?;
    }
    let text = manifests::document(object)?;
    Ok(file.write_all(text.trim_start_matches("---\n").as_bytes())?)
}

fn not_written(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        format!("could not write {}: {error}", path.display()),
        "choose another directory with --output-directory DIR",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(fields: &serde_json::Value) -> Service {
        serde_json::from_value(json!({
            "metadata": { "managedFields": [{ "manager": "m", "fieldsV1": fields }] },
            "spec": { "type": "NodePort", "ports": [{ "port": 8080, "nodePort": 30080 }] },
        }))
        .unwrap()
    }

    #[test]
    fn a_port_that_the_cluster_picked_is_left_to_it() {
        assert_eq!(asked_port(&page(&json!({ "f:spec": { "f:ports": { "k": { "f:port": {} } } } }))), None);
        assert_eq!(asked_port(&page(&json!({ "f:spec": { "f:ports": { "k": { "f:nodePort": {} } } } }))), Some(30_080));
        assert_eq!(service_type(&page(&json!({}))), Some(ServiceType::NodePort));
    }

    #[test]
    fn a_secret_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Object::of(&objects::secret("alice").unwrap()).unwrap();
        let [new, there] = ["new.yaml", "there.yaml"].map(|name| folder.path().join(name));
        fs::write(&there, "what was there before").unwrap();
        fs::set_permissions(&there, fs::Permissions::from_mode(0o644)).unwrap();
        for path in [new, there] {
            write(&path, &secret).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNERS, "{}", path.display());
            assert!(fs::read_to_string(&path).unwrap().starts_with("apiVersion"));
        }
    }
}
