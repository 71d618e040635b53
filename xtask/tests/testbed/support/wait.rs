use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

/// Looks until the condition holds, and gives what it gave. On running out it fails with what was last seen.
pub fn until<T, E: Debug>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > limit => panic!("{what}: not within {limit:?}; last seen: {seen:#?}"),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}
