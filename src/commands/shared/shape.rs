//! The flags that shape the objects.

use clap::ValueEnum;

use crate::error::Error;
use crate::exchange::names::MOST_MEMBERS;
use crate::exchange::settings::{Images, ServiceType, Settings, Storage};
use crate::kubernetes::ByHand;

/// How many members a replicated database has where nobody asks for another number: of three, one may be away.
pub const MEMBERS: u32 = 3;

/// What the objects shall look like.
#[derive(Clone, Debug, clap::Args)]
pub struct Shape {
    /// Deploy a replicated database: one PostgreSQL that takes writes, and others that copy it and can take its place
    #[arg(long)]
    pub ha: bool,

    /// With --ha: how many members the database has, from 3 to 9 [default: 3]
    #[arg(long, value_name = "NUMBER", requires = "ha", value_parser = clap::value_parser!(u32).range(3..=i64::from(MOST_MEMBERS)))]
    pub replicas: Option<u32>,

    /// Where the data is kept: auto, static (a directory on a node; with --ha one for each member) or dynamic (the cluster creates a volume)
    #[arg(long, value_enum, value_name = "KIND", default_value_t, hide_possible_values = true)]
    pub storage: StorageKind,

    /// The class for dynamic storage.
    #[arg(long, value_name = "NAME", help = "StorageClass for dynamic storage [default: the cluster's default]")]
    pub storage_class: Option<String>,

    /// Size of the volume [default: 1Gi]
    #[arg(long, value_name = "SIZE")]
    pub volume_size: Option<String>,

    /// Directory on the node, for static storage [default: /data/kubecoin/NAMESPACE]; with --ha each member has one in it
    #[arg(long, value_name = "PATH")]
    pub host_path: Option<String>,

    /// Node that has the directory, for static storage; with --ha all members are on it [default: spread over the nodes]
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,

    /// PostgreSQL image, up to version 17; with --ha it needs Patroni too
    #[arg(long, value_name = "IMAGE")]
    pub postgres_image: Option<String>,

    /// Backend image
    #[arg(long, value_name = "IMAGE")]
    pub backend_image: Option<String>,

    /// Page image
    #[arg(long, value_name = "IMAGE")]
    pub frontend_image: Option<String>,

    /// Pull all images from this registry, for example localhost:5001
    #[arg(long, value_name = "PREFIX")]
    pub registry: Option<String>,

    /// How the page is reached.
    #[arg(long, value_enum, value_name = "TYPE", hide_possible_values = true)]
    #[arg(help = "Type of the page's Service: NodePort or ClusterIP [default: NodePort]")]
    pub service_type: Option<ServiceType>,

    /// Port of the page on every node [default: the cluster picks a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub node_port: Option<u16>,

    /// Let only the backend reach PostgreSQL, if the cluster's network enforces network policies
    #[arg(long)]
    pub network_policy: bool,
}

/// Where the data lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StorageKind {
    /// static if you may create volumes, else dynamic; with --ha dynamic if the cluster creates volumes by itself
    #[default]
    Auto,
    /// A directory on a node: the lesson's volume, or with --ha one for each member
    Static,
    /// A volume that the cluster creates
    Dynamic,
}

impl Shape {
    /// What the flags alone rule out.
    ///
    /// # Errors
    /// If two of them do not go together, or one means nothing.
    pub fn check(&self) -> Result<(), Error> {
        if self.storage == StorageKind::Static && self.storage_class.is_some() {
            return Err(both("--storage static", "--storage-class"));
        }
        let for_static = [("--host-path", self.host_path.is_some()), ("--node", self.node.is_some())];
        if let Some((flag, _)) = for_static.into_iter().find(|(_, given)| *given) {
            if self.storage == StorageKind::Dynamic {
                return Err(both("--storage dynamic", flag));
            }
            if self.storage_class.is_some() {
                return Err(both("--storage-class", flag));
            }
        }
        if self
            .host_path
            .as_ref()
            .is_some_and(|path| !path.starts_with('/') || path.split('/').any(|part| part == ".."))
        {
            return Err(Error::new("--host-path is not an absolute path", "use one such as /data/kubecoin/mine"));
        }
        if self.node_port.is_some() && self.service_type == Some(ServiceType::ClusterIp) {
            return Err(both("--service-type ClusterIP", "--node-port"));
        }
        Ok(())
    }

    /// The kind of storage that the flags ask for: some have a meaning for one kind alone.
    #[must_use]
    pub fn asked(&self) -> StorageKind {
        match self.storage {
            StorageKind::Auto if self.storage_class.is_some() => StorageKind::Dynamic,
            StorageKind::Auto if self.host_path.is_some() || self.node.is_some() => StorageKind::Static,
            asked => asked,
        }
    }

    /// The flag that asks for static storage.
    #[must_use]
    pub fn asks_for_static(&self) -> &'static str {
        let given = [("--host-path", self.host_path.is_some()), ("--node", self.node.is_some())];
        let flag = given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag);
        flag.filter(|_| self.storage == StorageKind::Auto).unwrap_or("--storage")
    }

    /// The images that the flags ask for.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn images(&self) -> Result<Images, Error> {
        let images = Images {
            registry: self.registry.clone(),
            postgres: self.postgres_image.clone(),
            backend: self.backend_image.clone(),
            frontend: self.frontend_image.clone(),
        };
        images.check()?;
        Ok(images)
    }

    /// The settings as the flags alone have them, for a namespace of a cluster of which nothing is known.
    ///
    /// # Errors
    /// If an image cannot be used, or members shall be on a node and none is named.
    pub fn alone(&self, namespace: &str) -> Result<Settings, Error> {
        let members = self.ha.then(|| self.replicas.unwrap_or(MEMBERS));
        let storage = match (self.asked(), members) {
            (StorageKind::Static, Some(members)) => {
                let node = self.node.clone().ok_or_else(no_node)?;
                Storage::Local {
                    host_path: self.host_path.clone(),
                    hostnames: (0..members).map(|_| node.clone()).collect(),
                }
            }
            (StorageKind::Dynamic, _) | (StorageKind::Auto, Some(_)) => {
                Storage::Dynamic { class: self.storage_class.clone() }
            }
            (StorageKind::Static | StorageKind::Auto, None) => {
                Storage::Static { host_path: self.host_path.clone(), hostname: self.node.clone() }
            }
        };
        Ok(Settings {
            namespace: namespace.to_owned(),
            members,
            storage,
            volume_size: self.volume_size.clone(),
            images: self.images()?,
            service: self.service_type,
            node_port: self.node_port,
            credentials: None,
            members_secret: None,
            network_policy: self.network_policy,
        })
    }
}

/// Why there are no volumes of members without a cluster that could be asked.
fn no_node() -> Error {
    Error::new("each member's volume names its node, and none is named", "name one for all with --node NAME")
}

/// Two flags that rule each other out.
pub fn both(one: &str, other: &str) -> Error {
    Error::new(
        format!("{one} and {other} cannot be combined"),
        ByHand::default().own("deploy --help").to("see the help"),
    )
}
