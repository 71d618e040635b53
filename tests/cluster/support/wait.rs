use std::thread;
use std::time::{Duration, Instant};

/// The least pause between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest.
const LONGEST: Duration = Duration::from_millis(500);

/// Asks until there is an answer. On running out it fails with what was last seen.
pub fn until<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        let asked = Instant::now();
        match ask() {
            Ok(answer) => return answer,
            Err(seen) if start.elapsed() > deadline => panic!("{what}: not within {deadline:?}; last seen: {seen}"),
            // A question is a program that works. What is waited for needs the processors too.
            Err(_) => thread::sleep((2 * asked.elapsed()).clamp(PAUSE, LONGEST)),
        }
    }
}
