//! Names, looked up when they are asked for.

use std::ffi::OsStr;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use tokio::time::timeout;

use crate::context::Ctx;
use crate::findings;
use crate::flags::Global;
use crate::kubeconfig;
use crate::lesson::topics;
use crate::text::one_line;

/// How long somebody who pressed TAB waits at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// What names are of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Names {
    Contexts,
    Clusters,
    Users,
    Namespaces,
    /// With their kind before them, as `persistence-demo --target` takes them.
    StatefulSets,
    /// The same, as `dns-check --from` takes them.
    Pods,
    Nodes,
    StorageClasses,
}

/// Looks names up, where the flags of a line lead.
#[derive(Clone)]
pub struct Values {
    flags: Option<Global>,
}

impl Values {
    /// Where these flags lead; nowhere if the line cannot be understood.
    pub fn new(flags: Option<Global>) -> Self {
        Self { flags }
    }

    /// The names that begin with a word, in their order. None where they cannot be had.
    pub fn that_complete(&self, names: Names, word: &OsStr) -> Vec<CompletionCandidate> {
        let word = word.to_string_lossy();
        let mut all = self.look_up(names).unwrap_or_default();
        // A name in a kubeconfig can be any text, and a shell takes one with a blank in it for two.
        all.retain(|name| one_line(name) == *name && !name.contains(' '));
        all.sort();
        let prefixed = |name: &String| format!("{}{name}", names.kind());
        // The kind may be left out.
        let bare = !word.is_empty() && !names.kind().starts_with(&*word) && !word.starts_with(names.kind());
        let candidates = all.iter().map(|name| if bare { name.clone() } else { prefixed(name) });
        candidates.filter(|name| name.starts_with(&*word)).map(CompletionCandidate::new).collect()
    }

    fn look_up(&self, names: Names) -> Option<Vec<String>> {
        let flags = self.flags.clone()?;
        let of_kubeconfig = || kubeconfig::names(&flags.connection).ok();
        match names {
            Names::Contexts => Some(of_kubeconfig()?.contexts),
            Names::Clusters => Some(of_kubeconfig()?.clusters),
            Names::Users => Some(of_kubeconfig()?.users),
            _ => of_cluster(names, flags),
        }
    }
}

/// The codes of findings and their names that begin with a word, each with its title: first the codes.
pub fn codes(word: &OsStr) -> Vec<CompletionCandidate> {
    let word = word.to_string_lossy();
    let all = findings::by_id();
    let ids = all.iter().map(|cause| (cause.id, cause.title));
    let names = all.iter().map(|cause| (cause.slug, cause.title));
    that_begin(&word, ids.chain(names))
}

/// The topics of the lesson that begin with a word, and then the same codes.
pub fn topics_and_codes(word: &OsStr) -> Vec<CompletionCandidate> {
    let topics = topics::ALL.into_iter().map(|topic| (topic.name, topic.title));
    let mut all = that_begin(&word.to_string_lossy(), topics);
    all.extend(codes(word));
    all
}

/// Those of the names, each with its title, that begin with a word.
fn that_begin(word: &str, names: impl Iterator<Item = (&'static str, &'static str)>) -> Vec<CompletionCandidate> {
    let fitting = names.filter(|(name, _)| name.starts_with(word));
    fitting.map(|(name, title)| CompletionCandidate::new(name).help(Some(title.into()))).collect()
}

impl Names {
    /// What stands before each name.
    fn kind(self) -> &'static str {
        match self {
            Self::StatefulSets => "statefulset/",
            Self::Pods => "pod/",
            _ => "",
        }
    }
}

/// Asks the server. A credential plugin may run, but has nobody whom it could ask.
fn of_cluster(names: Names, flags: Global) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let ctx = Ctx::new(flags, Vec::new());
    ctx.read_stdin();
    let asked = async {
        let cluster = ctx.cluster().await?;
        let found = match names {
            Names::Namespaces => cluster.names::<Namespace>().await,
            Names::StatefulSets => cluster.names::<StatefulSet>().await,
            Names::Pods => cluster.names::<Pod>().await,
            Names::Nodes => cluster.names::<Node>().await,
            Names::StorageClasses => cluster.names::<StorageClass>().await,
            Names::Contexts | Names::Clusters | Names::Users => Ok(Vec::new()),
        };
        anyhow::Ok(found?)
    };
    let found = runtime.block_on(async { timeout(PATIENCE, asked).await });
    runtime.shutdown_background();
    found.ok()?.ok()
}
