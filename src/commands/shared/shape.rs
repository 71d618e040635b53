//! The flags that shape the objects.

use clap::ValueEnum;

use crate::error::Error;
use crate::exchange::settings::{Images, ServiceType, Settings, Storage};
use crate::kubernetes::ByHand;

/// How many members a replicated database has where nobody asks for another number: of three, one may be away.
pub const MEMBERS: u32 = 3;
/// How many it has at most.
pub const MOST_MEMBERS: u32 = 9;

/// What the objects shall look like.
#[derive(Clone, Debug, clap::Args)]
pub struct Shape {
    /// Deploy a replicated database: one PostgreSQL that takes writes, and others that copy it and can take its place
    #[arg(long)]
    pub ha: bool,

    /// With --ha: how many members the database has, from 3 to 9 [default: 3]
    #[arg(long, value_name = "NUMBER", requires = "ha", value_parser = clap::value_parser!(u32).range(3..=i64::from(MOST_MEMBERS)))]
    pub replicas: Option<u32>,

    /// Where the data is kept: auto, static (the lesson's volume, a directory on a node) or dynamic (the cluster creates a volume)
    #[arg(long, value_enum, value_name = "KIND", default_value_t, hide_possible_values = true)]
    pub storage: StorageKind,

    /// The class for dynamic storage.
    #[arg(long, value_name = "NAME", help = "StorageClass for dynamic storage [default: the cluster's default]")]
    pub storage_class: Option<String>,

    /// Size of the volume [default: 1Gi]
    #[arg(long, value_name = "SIZE")]
    pub volume_size: Option<String>,

    /// Directory on the node, for static storage [default: /data/kubecoin/NAMESPACE]
    #[arg(long, value_name = "PATH")]
    pub host_path: Option<String>,

    /// Node that has the directory, for static storage
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,

    /// PostgreSQL image, up to version 17
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
    /// static if you may create volumes, else dynamic
    #[default]
    Auto,
    /// The lesson's volume, a directory on a node
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
        if self.ha && self.asked() == StorageKind::Static {
            return Err(self.members_need_claims());
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

    /// Why the volume of the lesson is none for a replicated database.
    fn members_need_claims(&self) -> Error {
        let given = [("--host-path", self.host_path.is_some()), ("--node", self.node.is_some())];
        let flag = given.into_iter().find(|(_, given)| *given).map_or("--storage static", |(flag, _)| flag);
        Error::new(
            format!("--ha and {flag} cannot be combined: each member gets a volume of its own from the cluster"),
            format!("omit {flag}"),
        )
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
    /// If an image cannot be used.
    pub fn alone(&self, namespace: &str) -> Result<Settings, Error> {
        let storage = match self.asked() {
            asked if self.ha || asked == StorageKind::Dynamic => Storage::Dynamic { class: self.storage_class.clone() },
            _ => Storage::Static { host_path: self.host_path.clone(), hostname: self.node.clone() },
        };
        Ok(Settings {
            namespace: namespace.to_owned(),
            members: self.ha.then(|| self.replicas.unwrap_or(MEMBERS)),
            storage,
            volume_size: self.volume_size.clone(),
            images: self.images()?,
            service: self.service_type,
            node_port: self.node_port,
            credentials: None,
            network_policy: self.network_policy,
        })
    }
}

/// Two flags that rule each other out.
pub fn both(one: &str, other: &str) -> Error {
    Error::new(
        format!("{one} and {other} cannot be combined"),
        ByHand::default().own("deploy --help").to("see the help"),
    )
}
