//! What lasts longer than the run unless it is deleted.

use tokio::sync::watch;

use crate::cleanup::{Remedy, Ticket};
use crate::context::Ctx;

/// Makes something, and takes it away at the end of the run, whichever way that ends. The making is followed to its end
/// though the run may be stopped meanwhile: what is still being made cannot be deleted.
pub async fn make<T, U>(
    ctx: &Ctx,
    by_hand: String,
    make: impl Future<Output = T> + Send + 'static,
    undo: impl Fn() -> U + Clone + 'static,
) -> anyhow::Result<T>
where
    T: Send + 'static,
    U: Future<Output = anyhow::Result<()>> + 'static,
{
    let (_, outcome) = ticketed(ctx, by_hand, make, undo).await?;
    Ok(outcome)
}

/// The same of what is taken away before the run ends, by its ticket.
pub async fn ticketed<T, U>(
    ctx: &Ctx,
    by_hand: impl Into<Remedy>,
    make: impl Future<Output = T> + Send + 'static,
    undo: impl Fn() -> U + Clone + 'static,
) -> anyhow::Result<(Ticket, T)>
where
    T: Send + 'static,
    U: Future<Output = anyhow::Result<()>> + 'static,
{
    let (done, is_done) = watch::channel(false);
    let ticket = ctx.cleanup.push(by_hand, move || {
        let (mut is_done, undo) = (is_done.clone(), undo.clone());
        async move {
            let _ = is_done.wait_for(|done| *done).await;
            undo().await
        }
    });
    let making = tokio::spawn(async move {
        let outcome = make.await;
        done.send_replace(true);
        outcome
    });
    Ok((ticket, making.await?))
}
