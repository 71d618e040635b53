//! The manifests as they stand: valid for the API they are written for, and consistent with each other and the workspace.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, PersistentVolume, PersistentVolumeClaim, PodSpec, PodTemplateSpec, Probe, Secret, Service,
    ServiceAccount,
};
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::serde::de::DeserializeOwned;
use kubectl_kubecoin::inside::manifests::{self, Manifest};
use serde_json::Value;

/// The object in a file, untyped.
fn value(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).expect("one YAML document")
}

/// The lesson's manifests, and the one beside them.
fn everything() -> impl Iterator<Item = Manifest> {
    manifests::ALL.into_iter().chain([manifests::NETWORK_POLICY])
}

/// The same with a replicated database.
fn replicated() -> impl Iterator<Item = Manifest> {
    manifests::REPLICATED.into_iter().chain([manifests::REPLICATED_NETWORK_POLICY])
}

/// The object in a file, typed.
fn object<T: DeserializeOwned>(file: &str) -> T {
    let manifest = everything().find(|manifest| manifest.file == file).expect("a manifest");
    serde_json::from_value(value(manifest.yaml)).expect("an object of this kind")
}

fn statefulset() -> StatefulSet {
    object("postgres-statefulset.yaml")
}

fn template_of_statefulset() -> PodTemplateSpec {
    statefulset().spec.unwrap().template
}

/// The pod templates of all workloads by the workload's name.
fn templates() -> BTreeMap<&'static str, PodTemplateSpec> {
    let deployment = |file| object::<Deployment>(file).spec.unwrap().template;
    BTreeMap::from([
        ("postgres", template_of_statefulset()),
        ("backend", deployment("backend-deployment.yaml")),
        ("frontend", deployment("frontend-deployment.yaml")),
    ])
}

fn services() -> [Service; 3] {
    ["postgres-headless-service.yaml", "backend-service.yaml", "frontend-service.yaml"].map(object)
}

fn pod(template: &PodTemplateSpec) -> &PodSpec {
    template.spec.as_ref().unwrap()
}

fn container(template: &PodTemplateSpec) -> &Container {
    let [container] = pod(template).containers.as_slice() else { panic!("one container a pod") };
    container
}

fn labels(template: &PodTemplateSpec) -> &BTreeMap<String, String> {
    template.metadata.as_ref().unwrap().labels.as_ref().unwrap()
}

fn env<'a>(container: &'a Container, name: &str) -> Option<&'a str> {
    container.env.as_ref()?.iter().find(|variable| variable.name == name)?.value.as_deref()
}

/// Whether a selector is for what has these labels.
fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten().all(|label| labels.get_key_value(label.0) == Some(label));
    let exist = selector.match_expressions.iter().flatten().all(|expression| {
        assert_eq!(expression.operator, "Exists");
        labels.contains_key(&expression.key)
    });
    equal && exist
}

/// What the typed structs make of an object when it goes through them and back.
fn through_the_types(source: &Value) -> Value {
    fn both<T: DeserializeOwned + serde::Serialize>(source: &Value) -> Value {
        let typed: T = serde_json::from_value(source.clone()).expect("an object of this kind");
        serde_json::to_value(typed).expect("serializes")
    }
    match (source["apiVersion"].as_str().unwrap(), source["kind"].as_str().unwrap()) {
        ("v1", "PersistentVolume") => both::<PersistentVolume>(source),
        ("v1", "PersistentVolumeClaim") => both::<PersistentVolumeClaim>(source),
        ("v1", "ConfigMap") => both::<ConfigMap>(source),
        ("v1", "Secret") => both::<Secret>(source),
        ("v1", "ServiceAccount") => both::<ServiceAccount>(source),
        ("v1", "Service") => both::<Service>(source),
        ("networking.k8s.io/v1", "NetworkPolicy") => both::<NetworkPolicy>(source),
        ("policy/v1", "PodDisruptionBudget") => both::<PodDisruptionBudget>(source),
        ("rbac.authorization.k8s.io/v1", "Role") => both::<Role>(source),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => both::<RoleBinding>(source),
        ("apps/v1", "StatefulSet") => both::<StatefulSet>(source),
        ("apps/v1", "Deployment") => both::<Deployment>(source),
        other => panic!("a kind that the exchange does not have: {other:?}"),
    }
}

#[test]
fn the_folders_hold_these_files_and_no_others() {
    let policies = [manifests::NETWORK_POLICY, manifests::REPLICATED_NETWORK_POLICY];
    let folders = [
        ("level-2-volumes", manifests::ALL.as_slice()),
        ("level-2-replicated", &manifests::REPLICATED),
        ("network-policy", &policies),
        ("local-volumes", &[manifests::LOCAL_VOLUME]),
    ];
    for (name, embedded) in folders {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s").join(name);
        let mut there: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        there.sort();
        let mut embedded: Vec<&str> = embedded.iter().map(|manifest| manifest.file).collect();
        embedded.sort_unstable();
        assert_eq!(there, embedded);
    }
}

#[test]
fn the_typed_structs_know_every_field() {
    for Manifest { file, yaml } in everything().chain(replicated()) {
        let source = value(yaml);
        assert_eq!(through_the_types(&source), source, "{file}");
    }
}

#[test]
fn a_field_that_the_types_do_not_know_is_noticed() {
    for (path, name) in [("/spec", "replica"), ("/spec/template/spec/containers/0/securityContext", "readonly")] {
        let mut source = value(manifests::ALL[4].yaml);
        source.pointer_mut(path).unwrap()[name] = Value::from(1);
        assert_ne!(through_the_types(&source), source, "{path}/{name}");
    }
}

#[test]
fn every_object_carries_the_labels_and_no_namespace() {
    for Manifest { file, yaml } in everything().chain(replicated()) {
        let object = value(yaml);
        let labels = &object["metadata"]["labels"];
        let app = file.split('-').next().unwrap();
        assert_eq!(labels["app"], app, "{file}");
        assert_eq!(labels["app.kubernetes.io/name"], app, "{file}");
        assert_eq!(labels["app.kubernetes.io/part-of"], "kubecoin", "{file}");
        assert_eq!(labels["app.kubernetes.io/managed-by"], "kubectl-kubecoin", "{file}");
        assert_eq!(object["metadata"].get("namespace"), None, "{file}");
    }
}

#[test]
fn selectors_match_the_pods_they_are_for() {
    let templates = templates();
    let selector = |workload: &str| match workload {
        "postgres" => statefulset().spec.unwrap().selector,
        _ => object::<Deployment>(&format!("{workload}-deployment.yaml")).spec.unwrap().selector,
    };
    for (workload, template) in &templates {
        let selector = selector(workload).match_labels.unwrap();
        assert!(selector.iter().all(|label| labels(template).get_key_value(label.0) == Some(label)), "{workload}");
    }
    for service in services() {
        let selector = service.spec.unwrap().selector.unwrap();
        let matched: Vec<_> = templates
            .iter()
            .filter(|(_, template)| selector.iter().all(|label| labels(template).get_key_value(label.0) == Some(label)))
            .map(|(workload, _)| *workload)
            .collect();
        assert_eq!(matched, [selector["app"].as_str()], "{:?}", service.metadata.name);
    }
}

#[test]
fn services_name_ports_that_their_pods_have() {
    let templates = templates();
    for service in services() {
        let spec = service.spec.unwrap();
        let ports = container(&templates[spec.selector.unwrap()["app"].as_str()]).ports.clone().unwrap();
        for port in spec.ports.unwrap() {
            let Some(IntOrString::String(target)) = port.target_port else { panic!("a target port by name") };
            let target = ports.iter().find(|port| port.name.as_ref() == Some(&target)).expect("a port of that name");
            assert_eq!(target.container_port, port.port);
            assert_eq!(port.node_port, None, "a fixed port collides");
        }
    }
}

#[test]
fn the_statefulset_has_a_headless_service_and_one_replica() {
    let spec = statefulset().spec.unwrap();
    let service: Service = object("postgres-headless-service.yaml");
    assert_eq!(spec.service_name, service.metadata.name);
    assert_eq!(service.spec.unwrap().cluster_ip.as_deref(), Some("None"));
    assert_eq!(spec.replicas, Some(1));
}

#[test]
fn volume_and_claim_are_for_each_other_alone() {
    let volume: PersistentVolume = object("postgres-pv.yaml");
    let claim: PersistentVolumeClaim = object("postgres-pvc.yaml");
    let (volume_spec, claim_spec) = (volume.spec.unwrap(), claim.spec.unwrap());

    let reserved = volume_spec.claim_ref.unwrap();
    assert_eq!(reserved.name, claim.metadata.name);
    assert_eq!(reserved.namespace.as_deref(), Some("default"));
    assert_eq!(claim_spec.volume_name, volume.metadata.name);

    // The API drops an empty class from a volume, and a claim without the line gets the cluster's default class.
    assert_eq!(volume_spec.storage_class_name, None);
    assert_eq!(claim_spec.storage_class_name.as_deref(), Some(""));

    assert_eq!(volume_spec.capacity.unwrap()["storage"], claim_spec.resources.unwrap().requests.unwrap()["storage"]);
    assert_eq!(volume_spec.access_modes.as_deref(), Some(["ReadWriteOncePod".to_owned()].as_slice()));
    assert_eq!(claim_spec.access_modes, volume_spec.access_modes);
    assert_eq!(volume_spec.persistent_volume_reclaim_policy.as_deref(), Some("Retain"));

    let template = template_of_statefulset();
    let claimed = pod(&template).volumes.as_ref().unwrap().iter().find_map(|v| v.persistent_volume_claim.as_ref());
    assert_eq!(Some(&claimed.unwrap().claim_name), claim.metadata.name.as_ref());
}

#[test]
fn every_mount_has_its_volume() {
    for (workload, template) in templates() {
        let volumes: Vec<_> = pod(&template).volumes.iter().flatten().map(|volume| &volume.name).collect();
        let mounts: Vec<_> = container(&template).volume_mounts.iter().flatten().map(|mount| &mount.name).collect();
        assert_eq!(volumes, mounts, "{workload}");
    }
}

#[test]
fn the_data_directory_is_below_the_volume_and_the_lock_beside_it() {
    let template = template_of_statefulset();
    let container = container(&template);
    let mount = container.volume_mounts.as_ref().unwrap().iter().find(|mount| mount.name == "data").unwrap();
    let data = Path::new(env(container, "PGDATA").unwrap());
    assert_eq!(data.parent(), Some(Path::new(&mount.mount_path)));
    let script = &container.command.as_ref().unwrap()[2];
    let lock = script.lines().find_map(|line| line.strip_prefix("lock=")).expect("the script names its lock");
    assert_eq!(Path::new(lock).parent(), Some(Path::new(&mount.mount_path)));
    assert_ne!(Path::new(lock), data);
}

#[test]
fn the_lock_is_waited_for_as_long_as_a_pod_may_take_to_stop() {
    let template = template_of_statefulset();
    let grace = pod(&template).termination_grace_period_seconds.unwrap();
    let script = &container(&template).command.as_ref().unwrap()[2];
    assert!(script.contains(&format!("timeout {grace} flock 9")), "{script}");
    let startup = container(&template).startup_probe.as_ref().unwrap();
    let patience = i64::from(startup.failure_threshold.unwrap() * startup.period_seconds.unwrap());
    assert!(patience > 2 * grace, "the kubelet kills what still waits: {patience} s");
}

#[test]
fn probes_do_not_ask_the_socket() {
    let template = template_of_statefulset();
    let container = container(&template);
    for probe in [&container.startup_probe, &container.readiness_probe, &container.liveness_probe] {
        let command = probe.as_ref().unwrap().exec.as_ref().unwrap().command.as_ref().unwrap();
        assert!(command.join(" ").contains("pg_isready -h 127.0.0.1 "), "{command:?}");
    }
}

#[test]
fn who_is_not_ready_is_not_killed_for_it() {
    for (workload, template) in templates() {
        let container = container(&template);
        let asks = |probe: &Option<Probe>| {
            let probe = probe.as_ref().unwrap();
            (probe.exec.clone(), probe.http_get.as_ref().and_then(|get| get.path.clone()))
        };
        assert_ne!(asks(&container.readiness_probe), asks(&container.liveness_probe), "{workload}");
    }
}

#[test]
fn the_policy_lets_in_the_backend_and_helpers() {
    let policy: NetworkPolicy = object(manifests::NETWORK_POLICY.file);
    let NetworkPolicySpec { pod_selector, ingress, policy_types, .. } = policy.spec.unwrap();
    let templates = templates();
    let selected = |selector: &LabelSelector| -> Vec<&str> {
        let labelled = templates.iter().filter(|(_, template)| selects(selector, labels(template)));
        labelled.map(|(workload, _)| *workload).collect()
    };
    assert_eq!(selected(&pod_selector.unwrap()), ["postgres"]);
    assert_eq!(policy_types.as_deref(), Some(["Ingress".to_owned()].as_slice()));
    let [rule] = ingress.unwrap().try_into().unwrap();
    let [backend, helper] = rule.from.unwrap().try_into().unwrap();
    for peer in [&backend, &helper] {
        assert!(peer.namespace_selector.is_none() && peer.ip_block.is_none(), "pods of this namespace alone");
    }
    assert_eq!(selected(backend.pod_selector.as_ref().unwrap()), ["backend"]);
    let helpers = helper.pod_selector.unwrap();
    assert_eq!(selected(&helpers), [""; 0]);
    assert!(selects(&helpers, &BTreeMap::from([("kubectl-kubecoin/helper".to_owned(), "dns".to_owned())])));
    let [port] = rule.ports.unwrap().try_into().unwrap();
    let ports = container(&templates["postgres"]).ports.as_ref().unwrap();
    assert_eq!(port.port, Some(IntOrString::Int(ports[0].container_port)));
}

#[test]
fn every_secret_key_that_is_referred_to_exists_and_no_password_is_spelled_out() {
    let secret: Secret = object("postgres-secret.yaml");
    assert_eq!(secret.immutable, Some(true));
    let keys = secret.data.unwrap();
    let mut referred = 0;
    for (workload, template) in templates() {
        for variable in container(&template).env.iter().flatten() {
            if variable.name.contains("PASSWORD") {
                assert_eq!(variable.value, None, "{workload} {}", variable.name);
            }
            if let Some(key) = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref()) {
                assert_eq!(Some(&key.name), secret.metadata.name.as_ref(), "{workload} {}", variable.name);
                assert!(keys.contains_key(&key.key), "{workload} {}: {}", variable.name, key.key);
                referred += 1;
            }
        }
    }
    assert_eq!(referred, 4, "user and password, for the server and for the backend");
}

#[test]
fn the_workloads_find_each_other() {
    let templates = templates();
    let [headless, backend, _] = services();
    assert_eq!(env(container(&templates["backend"]), "DB_HOST"), headless.metadata.name.as_deref());
    let port = headless.spec.unwrap().ports.unwrap()[0].port.to_string();
    assert_eq!(env(container(&templates["backend"]), "DB_PORT"), Some(port.as_str()));
    assert_eq!(env(container(&templates["backend"]), "DB_NAME"), env(container(&templates["postgres"]), "POSTGRES_DB"));
    let url = format!("http://{}:{}", backend.metadata.name.unwrap(), backend.spec.unwrap().ports.unwrap()[0].port);
    assert_eq!(env(container(&templates["frontend"]), "BACKEND_URL"), Some(url.as_str()));
}

#[test]
fn each_workload_says_of_which_version_it_is() {
    for file in ["postgres-statefulset.yaml", "backend-deployment.yaml", "frontend-deployment.yaml"] {
        let object: Value = object(file);
        let version = object.pointer("/metadata/annotations/kubectl-kubecoin~1version");
        assert_eq!(version, Some(&env!("CARGO_PKG_VERSION").into()), "{file}");
    }
}

#[test]
fn images_are_those_of_the_workspace() {
    let workspace: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let registry = workspace["workspace"]["metadata"]["images"]["registry"].as_str().unwrap();
    for (workload, template) in templates() {
        let expected = match workload {
            "postgres" => "docker.io/library/postgres:17".to_owned(),
            _ => format!("{registry}/kubecoin-{workload}:{}", env!("CARGO_PKG_VERSION")),
        };
        assert_eq!(container(&template).image, Some(expected));
        assert_eq!(container(&template).image_pull_policy.as_deref(), Some("IfNotPresent"));
    }
}

#[test]
fn one_exchange_fits_a_small_quota() {
    let (mut cpu, mut memory) = (0, 0);
    for (workload, template) in templates() {
        let resources = container(&template).resources.clone().unwrap();
        let (requests, limits) = (resources.requests.unwrap(), resources.limits.unwrap());
        cpu += requests["cpu"].0.strip_suffix('m').expect("in millicores").parse::<u32>().unwrap();
        memory += requests["memory"].0.strip_suffix("Mi").expect("in MiB").parse::<u32>().unwrap();
        for resource in ["cpu", "memory", "ephemeral-storage"] {
            assert!(limits.contains_key(resource), "{workload} {resource}");
        }
    }
    assert!(cpu <= 200, "{cpu}m");
    assert!(memory <= 384, "{memory}Mi");
}

#[test]
fn pods_run_with_the_least_they_can() {
    for (workload, template) in templates() {
        let pod = pod(&template);
        assert_eq!(pod.automount_service_account_token, Some(false), "{workload}");
        let pod_security = pod.security_context.as_ref().unwrap();
        assert_eq!(pod_security.seccomp_profile.as_ref().unwrap().type_, "RuntimeDefault", "{workload}");
        let security = container(&template).security_context.as_ref().unwrap();
        assert_eq!(security.allow_privilege_escalation, Some(false), "{workload}");
        assert_eq!(security.read_only_root_filesystem, Some(true), "{workload}");
        let capabilities = security.capabilities.as_ref().unwrap();
        assert_eq!(capabilities.drop.as_deref(), Some(["ALL".to_owned()].as_slice()), "{workload}");

        if workload == "postgres" {
            // Baseline: it has to own a directory that is root's.
            let added = capabilities.add.as_ref().unwrap();
            assert_eq!(added, &["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]);
        } else {
            assert_eq!(capabilities.add, None, "{workload}");
            assert_eq!(pod_security.run_as_non_root, Some(true), "{workload}");
            assert_ne!(pod_security.run_as_user.unwrap(), 0, "{workload}");
        }
    }
}

/// The template of a replicated database's set.
fn template_of_members() -> PodTemplateSpec {
    let manifest = replicated().find(|manifest| manifest.file == "postgres-statefulset.yaml").unwrap();
    serde_json::from_value(value(manifest.yaml)["spec"]["template"].clone()).unwrap()
}

#[test]
fn members_keep_their_data_below_their_volume_under_the_lock_of_one_server() {
    let (one, members) = (template_of_statefulset(), template_of_members());
    let lock = |template: &PodTemplateSpec| {
        let script = container(template).command.as_ref().unwrap()[2].clone();
        script.split_once("fi\n").unwrap().0.to_owned()
    };
    assert_eq!(lock(&one), lock(&members));
    assert_eq!(env(container(&one), "PGDATA"), env(container(&members), "PGDATA"));
    let settings = replicated().find(|manifest| manifest.file == "postgres-configmap.yaml").unwrap();
    let data = format!("data_dir: {}", env(container(&members), "PGDATA").unwrap());
    assert!(settings.yaml.contains(&data), "{}", settings.yaml);
}

#[test]
fn members_refer_to_keys_that_their_secrets_have() {
    let keys: BTreeMap<String, BTreeMap<String, Value>> = replicated()
        .map(|manifest| value(manifest.yaml))
        .filter(|object| object["kind"] == "Secret" && object["immutable"] == true)
        .map(|secret| {
            let data = serde_json::from_value(secret["data"].clone()).unwrap();
            (secret["metadata"]["name"].as_str().unwrap().to_owned(), data)
        })
        .collect();
    let template = template_of_members();
    let variables = container(&template).env.iter().flatten();
    let referred: Vec<_> =
        variables.filter_map(|variable| variable.value_from.as_ref()?.secret_key_ref.as_ref()).collect();
    for key in &referred {
        assert!(keys[&key.name].contains_key(&key.key), "{key:?}");
    }
    assert_eq!(referred.len(), 6, "the exchange's role and password, and four of the members' own");
    for variable in container(&template).env.iter().flatten().filter(|variable| variable.name.contains("PASSWORD")) {
        assert_eq!(variable.value, None, "{}", variable.name);
    }
}
