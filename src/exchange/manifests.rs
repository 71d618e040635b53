//! The manifests of the exchange, as they stand in `k8s/level-2-volumes/` and, with a replicated database, in
//! `k8s/level-2-replicated/`.

use crate::kubernetes::Object;

/// A manifest: one file, one object.
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    /// The file's name.
    pub file: &'static str,
    /// The file's text: YAML.
    pub yaml: &'static str,
}

macro_rules! manifests {
    ($folder:literal: $($file:literal),* $(,)?) => {
        [$(Manifest { file: $file, yaml: include_str!(concat!("../../k8s/", $folder, "/", $file)) }),*]
    };
}

/// All manifests of the lesson, each after what it refers to.
pub const ALL: [Manifest; 9] = manifests![
    "level-2-volumes":
    "postgres-secret.yaml",
    "postgres-pv.yaml",
    "postgres-pvc.yaml",
    "postgres-headless-service.yaml",
    "postgres-statefulset.yaml",
    "backend-service.yaml",
    "backend-deployment.yaml",
    "frontend-service.yaml",
    "frontend-deployment.yaml",
];

/// All manifests of the exchange with a replicated database, each after what it refers to.
pub const REPLICATED: [Manifest; 15] = manifests![
    "level-2-replicated":
    "postgres-secret.yaml",
    "postgres-members-secret.yaml",
    "postgres-serviceaccount.yaml",
    "postgres-role.yaml",
    "postgres-rolebinding.yaml",
    "postgres-configmap.yaml",
    "postgres-headless-service.yaml",
    "postgres-primary-service.yaml",
    "postgres-replicas-service.yaml",
    "postgres-poddisruptionbudget.yaml",
    "postgres-statefulset.yaml",
    "backend-service.yaml",
    "backend-deployment.yaml",
    "frontend-service.yaml",
    "frontend-deployment.yaml",
];

/// The volume of a member where the cluster creates none. It is made once for each.
pub const LOCAL_VOLUME: Manifest =
    Manifest { file: "postgres-pv.yaml", yaml: include_str!("../../k8s/local-volumes/postgres-pv.yaml") };

/// The one that `--network-policy` asks for. It is no part of the lesson.
pub const NETWORK_POLICY: Manifest = Manifest {
    file: "postgres-networkpolicy.yaml",
    yaml: include_str!("../../k8s/network-policy/postgres-networkpolicy.yaml"),
};

/// The same for a replicated database, whose members reach each other too.
pub const REPLICATED_NETWORK_POLICY: Manifest = Manifest {
    file: "postgres-replicated-networkpolicy.yaml",
    yaml: include_str!("../../k8s/network-policy/postgres-replicated-networkpolicy.yaml"),
};

/// An object as a YAML document of a stream of them.
///
/// # Errors
/// If it has no form in YAML, which is a mistake of this program.
pub fn document(object: &Object) -> anyhow::Result<String> {
    Ok(format!("---\n{}", serde_saphyr::to_string(&object.body)?))
}

/// The file in which an object stands, as below `k8s/`.
#[must_use]
pub fn file(object: &Object) -> String {
    let name = &object.name;
    match object.resource.kind.as_str() {
        // The volume of a namespace carries the namespace's name.
        "PersistentVolume" => match super::names::number_of_volume(name) {
            Some(number) => format!("postgres-{number}-pv.yaml"),
            None => "postgres-pv.yaml".to_owned(),
        },
        "PersistentVolumeClaim" => format!("{name}.yaml"),
        "Secret" if name == super::names::SECRET => "postgres-secret.yaml".to_owned(),
        "ConfigMap" if name == super::names::SETTINGS => "postgres-configmap.yaml".to_owned(),
        "Service" if name.ends_with("-service") => format!("{name}.yaml"),
        kind => format!("{name}-{}.yaml", kind.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::exchange::objects::{Objects, secret, secrets};
    use crate::exchange::settings::{Settings, Storage};

    #[test]
    fn each_object_has_the_lessons_file() {
        let settings = Settings::of("alice", Storage::Static { host_path: None, hostname: None });
        let mut objects = Objects::new(&settings).unwrap().in_order().unwrap();
        objects.push(Object::of(&secret("alice").unwrap()).unwrap());
        let files: BTreeSet<String> = objects.iter().map(file).collect();
        assert_eq!(files, ALL.iter().map(|manifest| manifest.file.to_owned()).collect());
    }

    #[test]
    fn each_object_of_a_replicated_database_has_its_file() {
        let settings = Settings { members: Some(3), ..Settings::of("alice", Storage::Dynamic { class: None }) };
        let mut objects = Objects::new(&settings).unwrap().in_order().unwrap();
        objects.extend(secrets(&settings).unwrap().iter().map(|secret| Object::of(secret).unwrap()));
        let files: BTreeSet<String> = objects.iter().map(file).collect();
        assert_eq!(files, REPLICATED.iter().map(|manifest| manifest.file.to_owned()).collect());
    }

    #[test]
    fn each_volume_of_a_member_has_a_file_of_its_own() {
        let storage = Storage::Local { host_path: None, hostnames: vec!["node-1".to_owned(); 3] };
        let settings = Settings { members: Some(3), ..Settings::of("alice", storage) };
        let objects = Objects::new(&settings).unwrap().in_order().unwrap();
        let files: Vec<String> = objects.iter().map(file).filter(|file| file.ends_with("-pv.yaml")).collect();
        assert_eq!(files, ["postgres-0-pv.yaml", "postgres-1-pv.yaml", "postgres-2-pv.yaml"]);
    }

    #[test]
    fn a_document_is_read_back_as_the_object() {
        for manifest in ALL.into_iter().chain(REPLICATED).chain([LOCAL_VOLUME]) {
            let body: serde_json::Value = serde_saphyr::from_str(manifest.yaml).unwrap();
            let object = Object { body, ..Object::of(&secret("alice").unwrap()).unwrap() };
            let read: serde_json::Value = serde_saphyr::from_str(&document(&object).unwrap()).unwrap();
            assert_eq!(read, object.body, "{}", manifest.file);
        }
    }
}
