//! What `--watch` shows. While the cluster does not answer, that stays, with a line that says since when.

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use crate::commands::shared::waiting;
use crate::context::Ctx;
use crate::output::{Line, Printer, Role};

/// After so long without a result, it is asked whether the cluster answers at all: requests are tried again for much longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the answer to that may take.
const ANSWER: Duration = Duration::from_secs(2);

/// The pause before what has failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// The terminal, or what is in its place.
pub struct Screen<'a> {
    ctx: &'a Ctx,
    /// Whether lines can be replaced.
    pub is_in_place: bool,
    /// What was drawn last.
    lines: Vec<Line>,
    /// Whether anything has been read yet.
    has_read: bool,
    /// Whether it was said that the cluster does not answer.
    has_told: bool,
}

impl<'a> Screen<'a> {
    /// With nothing on it.
    pub fn new(ctx: &'a Ctx) -> Self {
        Self { ctx, is_in_place: Printer::can_redraw(), lines: Vec::new(), has_read: false, has_told: false }
    }

    /// Draws these lines in the place of all others.
    pub fn draw(&mut self, lines: Vec<Line>) -> anyhow::Result<()> {
        self.ctx.printer.redraw(&lines)?;
        self.lines = lines;
        Ok(())
    }

    /// Reads until it succeeds.
    ///
    /// # Errors
    /// If it fails otherwise than because the cluster is away; or the first time, when there is nothing to go on with.
    pub async fn read<T>(&mut self, attempt: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
        if !self.has_read {
            let read = attempt().await?;
            self.has_read = true;
            return Ok(read);
        }
        let since = Timestamp::now();
        loop {
            let read = tokio::select! { biased;
                read = attempt() => read,
                never = self.ask_meanwhile(since) => match never? {},
            };
            match read {
                Err(error) if waiting::server_away(&error) => self.tell(since)?,
                read => {
                    self.answers_again(read.is_ok());
                    return read;
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Says that the cluster does not answer, once that is so.
    async fn ask_meanwhile(&mut self, since: Timestamp) -> anyhow::Result<Infallible> {
        let cluster = self.ctx.cluster().await?;
        loop {
            sleep(PATIENCE).await;
            let is_away = match timeout(ANSWER, cluster.version()).await {
                Ok(answer) => answer.is_err_and(|error| error.cause.is_away()),
                Err(_) => true,
            };
            if is_away {
                self.tell(since)?;
            }
        }
    }

    /// Says it, if it was not said.
    fn tell(&mut self, since: Timestamp) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.has_told, true) {
            return Ok(());
        }
        // In whole seconds, as all other times.
        let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
        let says = format!("the cluster has not answered since {since}; trying again");
        if !self.is_in_place {
            self.ctx.printer.warning(&says);
            return Ok(());
        }
        let below = Line::default().and(Role::Doubtful, says);
        self.ctx.printer.redraw(&[self.lines.as_slice(), &[below]].concat())
    }

    /// Says that the cluster answers, where what is drawn next does not show it.
    fn answers_again(&mut self, it_does: bool) {
        if std::mem::take(&mut self.has_told) && it_does && !self.is_in_place {
            self.ctx.printer.note("the cluster answers again");
        }
    }
}
