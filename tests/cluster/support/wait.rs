use std::thread;
use std::time::{Duration, Instant};

/// Asks until there is an answer. On running out it fails with what was last seen.
pub fn until<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(seen) if start.elapsed() > deadline => panic!("{what}: not within {deadline:?}; last seen: {seen}"),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}
