//! People who use the exchange while something happens to it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::support::exchange::Exchange;

/// Makes wallet after wallet, and remembers those whose making was acknowledged.
pub struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    writers: Vec<JoinHandle<BTreeSet<String>>>,
}

impl Load {
    pub fn start(exchange: &Exchange) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let writers = (0..4)
            .map(|writer| {
                let (exchange, stop, count) = (exchange.clone(), Arc::clone(&stop), Arc::clone(&acknowledged));
                thread::spawn(move || {
                    let mut ids = BTreeSet::new();
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let id = format!("load-{writer}-{number}");
                        if exchange.put_wallet(&id).is_ok() {
                            ids.insert(id);
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    ids
                })
            })
            .collect();
        Self { stop, acknowledged, writers }
    }

    /// How many wallets have been acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Ends the load and gives every wallet that was acknowledged.
    pub fn stop(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.writers.into_iter().flat_map(|writer| writer.join().expect("a writer ends")).collect()
    }
}
