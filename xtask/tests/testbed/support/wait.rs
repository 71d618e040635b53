use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

/// The least pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest.
const LONGEST: Duration = Duration::from_millis(500);

/// Looks until the condition holds, and gives what it gave. On running out it fails with what was last seen.
pub fn until<T, E: Debug>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        let looked = Instant::now();
        match look() {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > limit => panic!("{what}: not within {limit:?}; last seen: {seen:#?}"),
            // A look can be a program that works. What is waited for needs the processors too.
            Err(_) => thread::sleep((2 * looked.elapsed()).clamp(PAUSE, LONGEST)),
        }
    }
}
