//! Pods to look at the cluster from.

use std::time::Duration;

use super::testbed::Ended;
use super::{kubectl, wait};

/// How long something small may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A pod on a node that answers HTTP with its name, and the Services `NAME` and, without an address of its own,
/// `NAME-headless`. Its image is pulled whether or not the node has it, and the node's `/data/shared` is its `/data`.
pub fn web_server(name: &str, node: u8) {
    kubectl::apply(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  # By the scheduler, unlike nodeName.
  nodeSelector: {{kubernetes.io/hostname: node-{node}}}
  terminationGracePeriodSeconds: 0
  containers:
  - name: httpd
    image: docker.io/library/busybox:latest
    imagePullPolicy: Always
    command: [sh, -c, 'mkdir /www && echo {name} > /www/index.html && exec httpd -f -p 8080 -h /www']
    readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
    volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, hostPath: {{path: /data/shared, type: DirectoryOrCreate}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}-headless}}
spec: {{selector: {{app: {name}}}, clusterIP: None, ports: [{{port: 8080}}]}}
"
    ));
    kubectl::ok(&format!("wait --for=condition=Ready --timeout=180s pod/{name}"));
}

/// A command in a pod.
pub fn inside(pod: &str, words: &str) -> Ended {
    kubectl::run(&format!("exec {pod} -- {words}"))
}

/// What an address answers to a pod, once it does.
pub fn page(pod: &str, address: &str) -> String {
    wait::until(&format!("{address} answers to {pod}"), PATIENCE, || {
        let got = inside(pod, &format!("wget -q -T 2 -O - http://{address}/"));
        if got.code == Some(0) { Ok(got.stdout.trim().to_owned()) } else { Err(got.stderr) }
    })
}

/// Whether a name has this address, as a pod sees it.
pub fn resolves(pod: &str, name: &str, address: &str) -> Result<(), Ended> {
    let found = inside(pod, &format!("nslookup -type=a {name}.default.svc.cluster.local"));
    // The first address is the DNS's own.
    let answer = found.stdout.split_once("Name:").map_or("", |(_, answer)| answer);
    if answer.lines().any(|line| line.ends_with(&format!(": {address}"))) { Ok(()) } else { Err(found) }
}

/// The pod's address.
pub fn pod_address(pod: &str) -> String {
    kubectl::ok(&format!("get pod {pod} --output jsonpath={{.status.podIP}}"))
}

/// The Service's address.
pub fn service_address(service: &str) -> String {
    kubectl::ok(&format!("get service {service} --output jsonpath={{.spec.clusterIP}}"))
}

/// One pod reaches another by each way there is: its address, its Service's address, and the names of both.
pub fn reaches(from: &str, to: &str) {
    let (pod, service) = (pod_address(to), service_address(to));
    assert_eq!(page(from, &format!("{pod}:8080")), to);
    assert_eq!(page(from, &service), to);
    wait::until(&format!("{from} finds {to}"), PATIENCE, || resolves(from, to, &service));
    wait::until(&format!("{from} finds {to}-headless"), PATIENCE, || resolves(from, &format!("{to}-headless"), &pod));
}
