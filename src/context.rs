//! Flags and kubeconfig, resolved: which cluster, as whom, in which namespace.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::sync::{OnceCell, watch};

use crate::cleanup::{Cleanup, Ticket};
use crate::error::{Error, Outcome};
use crate::flags::{Connection, Global, REQUEST_TIMEOUT};
use crate::kubeconfig;
use crate::kubernetes::act::{Act, Create, Delete};
use crate::kubernetes::credentials::Ask;
use crate::kubernetes::version::made_for;
use crate::kubernetes::{ByHand, Cluster, Object, Terms, Unusable, Warnings, Words};
use crate::output::Printer;
use crate::text::Command;

/// As good as no limit.
const ANY_TIME: Duration = Duration::from_hours(24 * 365);

/// What every command is given.
pub struct Ctx {
    /// Where answers, progress and hints go.
    pub printer: Printer,
    /// What this run has created and must delete.
    pub cleanup: Cleanup,
    /// What a command needs that a person types next. A namespace that was not given goes without saying.
    pub by_hand: ByHand,
    /// The command and its own flags, as they were typed.
    pub asked: Vec<String>,
    show_commands: bool,
    kept_commands: RefCell<Option<Vec<String>>>,
    connection: Connection,
    warnings: Warnings,
    stdin_is_read: Arc<AtomicBool>,
    cluster: OnceCell<Cluster>,
}

impl Ctx {
    /// From the flags, and the command as it was typed. Reads no file and opens no connection yet.
    #[must_use]
    pub fn new(global: Global, asked: Vec<String>) -> Self {
        let printer = Printer::new(global.color);
        let connection = global.connection.without_empty();
        Self {
            printer,
            cleanup: Cleanup::default(),
            asked,
            show_commands: global.show_commands,
            kept_commands: RefCell::default(),
            by_hand: connection.by_hand(),
            connection,
            warnings: Warnings::new(Arc::new(move |text| printer.warning(text))),
            stdin_is_read: Arc::default(),
            cluster: OnceCell::new(),
        }
    }

    /// The cluster that flags and kubeconfig lead to, prepared on first use.
    ///
    /// # Errors
    /// If they lead nowhere, with what to do about it.
    pub async fn cluster(&self) -> anyhow::Result<&Cluster> {
        // Every caller's future holds this one.
        self.cluster.get_or_try_init(|| Box::pin(self.connect())).await
    }

    async fn connect(&self) -> anyhow::Result<Cluster> {
        let target = kubeconfig::resolve(&self.connection)?;
        let terms = Terms {
            flags: self.connection.for_kubectl(&target.context),
            given: self.by_hand.given.clone(),
            request_timeout: match self.connection.request_timeout {
                None => REQUEST_TIMEOUT,
                Some(Duration::ZERO) => ANY_TIME,
                Some(timeout) => timeout,
            },
            warnings: self.warnings.clone(),
            ask: self.ask(),
        };
        let cluster = Cluster::new(target, terms).map_err(|why| unusable(&why, &self.by_hand))?;
        if self.connection.match_server_version {
            let version = cluster.version().await?;
            made_for(&version).map_err(|why| Error::new(why, "omit --match-server-version to try anyway"))?;
        }
        Ok(cluster)
    }

    /// The namespace. Needs no kubeconfig if a flag names it.
    ///
    /// # Errors
    /// If there is no flag, and no kubeconfig that can be used.
    pub async fn namespace(&self) -> anyhow::Result<String> {
        match &self.connection.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.cluster().await?.namespace().to_owned()),
        }
    }

    /// Nobody but a credential plugin reads stdin until a command says that it does.
    fn ask(&self) -> Ask {
        let (stdin, printer) = (Arc::clone(&self.stdin_is_read), self.printer);
        Ask {
            stdin_is_free: Arc::new(move || !stdin.load(Ordering::Relaxed)),
            waiting: Arc::new(move |plugin| printer.note(format!("waiting for the credential plugin {plugin:?}"))),
        }
    }

    /// From now on the command itself reads stdin: a credential plugin that has to run again gets none of it.
    pub fn read_stdin(&self) {
        self.stdin_is_read.store(true, Ordering::Relaxed);
    }

    /// What a command comes to, if warnings of the server are to count.
    pub fn with_warnings(&self, outcome: Outcome) -> Outcome {
        let count = self.warnings.count();
        if count == 0 || !self.connection.warnings_as_errors {
            return outcome;
        }
        self.printer.error(&format!("{count} {} of the server", if count == 1 { "warning" } else { "warnings" }));
        match outcome {
            Outcome::Holds => Outcome::DoesNotHold,
            other => other,
        }
    }

    /// A command of this program for the same place, as the user would type it.
    #[must_use]
    pub fn own_command(&self, words: impl Words) -> Command {
        self.by_hand.own(words)
    }

    /// Does it, and before, if asked for, shows how kubectl does the same.
    ///
    /// # Errors
    /// If it cannot be done.
    pub async fn perform<A: Act>(&self, act: &A) -> anyhow::Result<A::Done> {
        let cluster = self.cluster().await?;
        self.show(|| act.kubectl(cluster.place()));
        Ok(act.execute(cluster).await?)
    }

    /// Creates an object that this run deletes, whichever way it ends. The object's name must be one that no
    /// other run chooses.
    ///
    /// # Errors
    /// If it cannot be created.
    pub async fn create_temporary(&self, object: Object) -> anyhow::Result<(Ticket, DynamicObject)> {
        let cluster = self.cluster().await?.clone();
        let create = Create { object: object.clone(), hidden: None, dry_run: false };
        self.show(|| create.kubectl(cluster.place()));
        let (made, is_made) = watch::channel(false);
        let delete = Rc::new(Delete { object, uid: None });
        let ticket = self.cleanup.push(delete.kubectl(cluster.place()), {
            let cluster = cluster.clone();
            move || {
                let (cluster, delete, mut is_made) = (cluster.clone(), Rc::clone(&delete), is_made.clone());
                async move {
                    // An object that is still being made would be there after it was deleted.
                    let _ = is_made.wait_for(|made| *made).await;
                    delete.execute(&cluster).await.map(drop).map_err(Into::into)
                }
            }
        });
        // On a task of its own, a request that was sent is followed to its end, though this run may be stopped meanwhile.
        let created = tokio::spawn(async move {
            let created = create.execute(&cluster).await;
            made.send_replace(true);
            created
        });
        let created = created.await?;
        if created.as_ref().is_err_and(|error| error.cause.is_refusal()) {
            self.cleanup.forget(ticket);
        }
        Ok((ticket, created?))
    }

    /// Deletes what was created so, before the run ends.
    ///
    /// # Errors
    /// If it cannot be deleted. Then it is tried again at the end.
    pub async fn delete_temporary(&self, ticket: Ticket) -> anyhow::Result<()> {
        if let Some(kubectl) = self.cleanup.command(ticket) {
            self.show(|| kubectl);
        }
        self.cleanup.run_now(ticket).await
    }

    /// Shows a command that does the same as what comes next, if asked for.
    pub fn show(&self, command: impl FnOnce() -> String) {
        let mut kept = self.kept_commands.borrow_mut();
        if !self.show_commands && kept.is_none() {
            return;
        }
        let command = command();
        if self.show_commands {
            self.printer.command(&command);
        }
        if let Some(kept) = kept.as_mut() {
            kept.push(command);
        }
    }

    /// From now on keeps the commands that `show` is given.
    pub fn keep_commands(&self) {
        self.kept_commands.replace(Some(Vec::new()));
    }

    /// The commands that were kept. No more are.
    pub fn kept_commands(&self) -> Vec<String> {
        self.kept_commands.take().unwrap_or_default()
    }
}

/// Why a cluster that was found cannot be used.
fn unusable(why: &Unusable, by_hand: &ByHand) -> Error {
    Error::new(why.to_string(), by_hand.kubectl_of_cluster("config view --minify").to("see what kubectl reads"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        global: Global,
    }

    #[test]
    fn commands_are_kept_for_as_long_as_somebody_asks() {
        let ctx = Ctx::new(Typed::parse_from(["kubectl-kubecoin"]).global, Vec::new());
        ctx.show(|| unreachable!("nobody asks"));
        ctx.keep_commands();
        ctx.show(|| "one".to_owned());
        ctx.show(|| "two".to_owned());
        assert_eq!(ctx.kept_commands(), ["one", "two"]);
        ctx.show(|| unreachable!("nobody asks any more"));
        assert_eq!(ctx.kept_commands(), [""; 0]);
    }
}
