//! The manifests of the exchange, as they stand in `k8s/level-2-volumes/`.

/// A manifest: one file, one object.
#[derive(Clone, Copy, Debug)]
pub struct Manifest {
    /// The file's name.
    pub file: &'static str,
    /// The file's text: YAML.
    pub yaml: &'static str,
}

macro_rules! manifests {
    ($($file:literal),* $(,)?) => {
        [$(Manifest { file: $file, yaml: include_str!(concat!("../../k8s/level-2-volumes/", $file)) }),*]
    };
}

/// All manifests, each after what it refers to.
pub const ALL: [Manifest; 9] = manifests![
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
