//! Changes on their way. What is still being changed cannot be restored.

use std::sync::Arc;

use tokio::sync::Mutex;

/// Changes that are followed to their end, one at a time, though the run may be stopped meanwhile.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<()>>);

impl InFlight {
    /// Makes a change on a task of its own, which goes on if nobody waits for it any more.
    ///
    /// # Errors
    /// If the task cannot be followed to its end.
    pub async fn follow<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let on_its_way = Arc::clone(&self.0).lock_owned().await;
        let following = tokio::spawn(async move {
            let done = change.await;
            drop(on_its_way);
            done
        });
        Ok(following.await?)
    }

    /// Waits until nothing is on its way.
    pub async fn end(&self) {
        drop(self.0.lock().await);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_change_that_nobody_waits_for_is_followed_to_its_end() {
        let (in_flight, (end, is_to_end)) = (InFlight::default(), oneshot::channel::<()>());
        let (told, is_told) = oneshot::channel();
        let change = in_flight.follow(async move {
            is_to_end.await.unwrap();
            told.send(()).unwrap();
        });
        tokio::select! {
            biased;
            _ = change => panic!("it has not ended"),
            () = tokio::task::yield_now() => {}
        }
        end.send(()).unwrap();
        in_flight.end().await;
        assert_eq!(is_told.await, Ok(()));
    }
}
