//! Connections of this machine, each joined with a pod of the page that is ready when it comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::exchange::names;
use crate::kubernetes::{Cluster, RequestError, forward};
use crate::observe::path::page_port;
use crate::observe::readiness;
use crate::output::Printer;

/// How long a connection waits for a pod that is ready: as long as a pod of the page takes to be replaced.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(250);

/// More pods of the page than ever run at once.
const MOST: u32 = 100;

/// Takes every connection that comes, until this is dropped.
///
/// # Errors
/// If this machine gives no more connections.
pub async fn accept(listener: TcpListener, cluster: &Cluster, printer: Printer) -> anyhow::Result<()> {
    let told = Arc::new(Told { printer, failing: AtomicBool::new(false) });
    loop {
        let (connection, _) = listener.accept().await?;
        let (cluster, told) = (cluster.clone(), Arc::clone(&told));
        tokio::spawn(async move { carry(&cluster, connection, &told).await });
    }
}

async fn carry(cluster: &Cluster, connection: TcpStream, told: &Told) {
    // Small answers are not held back to be sent together. Without it they are only slower.
    let _ = connection.set_nodelay(true);
    match pod(cluster).await {
        Ok(Some((name, port))) => match forward::join(cluster, &name, port, connection).await {
            Ok(()) => told.works(&name),
            Err(error) => told.fails(&error.to_string()),
        },
        Ok(None) => told.fails(&format!("no page pod was ready within {PATIENCE:?}")),
        Err(error) => told.fails(&error.to_string()),
    }
}

/// A pod of the page that is ready, the newest of them, and its port.
async fn pod(cluster: &Cluster) -> Result<Option<(String, u16)>, RequestError> {
    let selector = format!("{}={},{}", names::APP, names::FRONTEND, names::selector());
    let selector = ListParams::default().labels(&selector).limit(MOST);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let pods = cluster.list::<Pod>(&selector).await?;
        let ready = pods.iter().filter(|pod| readiness::pod(pod));
        if let Some(newest) = ready.max_by_key(|pod| pod.metadata.creation_timestamp.clone()) {
            return Ok(Some((newest.name_any(), page_port(newest))));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(PAUSE).await;
    }
}

/// What was said last. Browsers try again and again: a failure is worth saying once, until something works.
struct Told {
    printer: Printer,
    failing: AtomicBool,
}

impl Told {
    fn fails(&self, why: &str) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            self.printer.warning(&format!("a connection to the pod failed; the next request opens a new one: {why}"));
        }
    }

    fn works(&self, pod: &str) {
        if self.failing.swap(false, Ordering::Relaxed) {
            self.printer.note(format!("connected again, to pod/{pod}"));
        }
    }
}
