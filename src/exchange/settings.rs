//! What a user may choose about the exchange.

use crate::error::Error;

/// The choices that shape the objects. What is `None` stays as the manifests have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The namespace of the exchange.
    pub namespace: String,
    /// How many members a replicated database has. None for the lesson's one server.
    pub members: Option<u32>,
    /// Where the data lives.
    pub storage: Storage,
    /// The size of the volume, as Kubernetes writes quantities.
    pub volume_size: Option<String>,
    /// The images.
    pub images: Images,
    /// How the page is reached.
    pub service: Option<ServiceType>,
    /// The port at every node, for a `NodePort` service.
    pub node_port: Option<u16>,
    /// The Secret whose password the backend uses. None for the first one.
    pub credentials: Option<String>,
    /// The Secret of what the members of a replicated database use among themselves. None for the first one.
    pub members_secret: Option<String>,
    /// Whether a policy lets only the backend reach the database.
    pub network_policy: bool,
}

impl Settings {
    /// What `deploy` applies where it is asked for nothing more.
    #[must_use]
    pub fn of(namespace: &str, storage: Storage) -> Self {
        Self {
            namespace: namespace.to_owned(),
            members: None,
            storage,
            volume_size: None,
            images: Images::default(),
            service: None,
            node_port: None,
            credentials: None,
            members_secret: None,
            network_policy: false,
        }
    }
}

/// Where the data lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The lesson's volume: a folder on a node.
    Static {
        /// The folder; by default one that carries the namespace.
        host_path: Option<String>,
        /// The value of the label `kubernetes.io/hostname` of the node that has the folder. None where there is only one.
        hostname: Option<String>,
    },
    /// A folder on a node for each member of a replicated database, as a `local` volume.
    Local {
        /// The folder that has the members' folders; by default one that carries the namespace.
        host_path: Option<String>,
        /// Of each member the value of the label `kubernetes.io/hostname` of the node that has its folder, the first member first.
        hostnames: Vec<String>,
    },
    /// A volume that the cluster makes for the claim.
    Dynamic {
        /// The class to make it of; none for the cluster's default.
        class: Option<String>,
    },
}

/// Images in place of the manifests'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The registry, and what comes before the image's own name, in place of every image's.
    pub registry: Option<String>,
    /// The image of PostgreSQL.
    pub postgres: Option<String>,
    /// The image of the backend.
    pub backend: Option<String>,
    /// The image of the page.
    pub frontend: Option<String>,
}

/// How the page is reached from outside the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ServiceType {
    /// On a port of every node
    #[value(name = "NodePort")]
    NodePort,
    /// Inside the cluster only
    #[value(name = "ClusterIP")]
    ClusterIp,
}

impl ServiceType {
    /// As the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NodePort => "NodePort",
            Self::ClusterIp => "ClusterIP",
        }
    }
}

/// The newest major version of PostgreSQL whose image keeps its data where the manifests mount the volume.
const NEWEST_POSTGRES: u32 = 17;

impl Images {
    /// Checks what can be told from the names alone.
    ///
    /// # Errors
    /// If the image of PostgreSQL is of a version that keeps its data elsewhere.
    pub fn check(&self) -> Result<(), Error> {
        let Some(image) = &self.postgres else { return Ok(()) };
        match major_version(image) {
            Some(major) if major > NEWEST_POSTGRES => Err(Error::new(
                format!(
                    "{image} keeps its data outside the volume: images of PostgreSQL from 18 on moved their directory"
                ),
                format!(
                    "use PostgreSQL {NEWEST_POSTGRES}: --postgres-image docker.io/library/postgres:{NEWEST_POSTGRES}"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The image to use in place of one of the manifests'.
    #[must_use]
    pub fn replace(&self, chosen: Option<&String>, original: &str) -> String {
        match (chosen, &self.registry) {
            (Some(chosen), _) => chosen.clone(),
            (None, Some(registry)) => {
                let own_name = original.rsplit('/').next().unwrap_or(original);
                format!("{}/{own_name}", registry.trim_end_matches('/'))
            }
            (None, None) => original.to_owned(),
        }
    }
}

/// Whether two quantities are the same, as `1Gi` and `1024Mi` are. What is no quantity is only the same as itself.
#[must_use]
pub fn same_quantity(one: &str, other: &str) -> bool {
    let same = |(one, other): (f64, f64)| (one - other).abs() < f64::EPSILON;
    one == other || quantity(one).zip(quantity(other)).is_some_and(same)
}

/// The number that a quantity stands for.
#[must_use]
pub fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let with_suffix = SUFFIXES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let (number, factor) = with_suffix.unwrap_or((text, &1.0));
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// The major version in an image's tag: 17 of `postgres:17.2-bookworm`.
fn major_version(image: &str) -> Option<u32> {
    let without_digest = image.split('@').next()?;
    let (_, tag) = without_digest.rsplit('/').next()?.split_once(':')?;
    tag.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_postgres_that_moved_their_data_are_refused() {
        let check = |image: &str| Images { postgres: Some(image.to_owned()), ..Images::default() }.check();
        for image in [
            "postgres:17",
            "localhost:5000/postgres:16.4-alpine",
            "postgres@sha256:00",
            "pg:latest",
            "my/pg:17@sha256:18",
        ] {
            assert!(check(image).is_ok(), "{image}");
        }
        for image in ["postgres:18", "docker.io/library/postgres:18.1-bookworm", "localhost:5000/postgres:19"] {
            assert!(check(image).is_err(), "{image}");
        }
    }

    #[test]
    fn a_size_may_be_written_in_more_than_one_way() {
        for (one, other) in [("1Gi", "1024Mi"), ("1.5Gi", "1536Mi"), ("1G", "1000M"), ("1e9", "1G"), ("512", "0.5Ki")] {
            assert!(same_quantity(one, other), "{one} {other}");
        }
        for (one, other) in [("1Gi", "1G"), ("1Gi", "2Gi"), ("1Gi", ""), ("lots", "more"), ("Gi", "Mi")] {
            assert!(!same_quantity(one, other), "{one} {other}");
        }
        assert!(same_quantity("lots", "lots"));
    }

    #[test]
    fn a_registry_stands_in_for_all_and_an_image_for_itself() {
        let images = Images { registry: Some("localhost:5001/x/".to_owned()), ..Images::default() };
        assert_eq!(images.replace(None, "docker.io/library/postgres:17"), "localhost:5001/x/postgres:17");
        assert_eq!(images.replace(Some(&"pg:16".to_owned()), "docker.io/library/postgres:17"), "pg:16");
    }
}
