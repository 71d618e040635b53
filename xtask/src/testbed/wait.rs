//! Waiting: for a condition, with a deadline, and with what was last seen when it runs out.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// A moment until which something is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    fn passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// Looks until the condition holds, and gives what it gave. It is an outer error that ends the waiting, an inner one what is
/// still missing.
pub fn until<T>(deadline: Deadline, look: impl FnMut() -> Result<Result<T, String>>) -> Result<T> {
    until_every(INTERVAL, deadline, look)
}

/// The same with another pause between two looks: a look can be a whole command, which takes the processors from what is waited
/// for.
pub fn until_every<T>(
    pause: Duration,
    deadline: Deadline,
    mut look: impl FnMut() -> Result<Result<T, String>>,
) -> Result<T> {
    loop {
        match look()? {
            Ok(found) => return Ok(found),
            Err(missing) if deadline.passed() => bail!("out of time: {missing}"),
            Err(_) => thread::sleep(pause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_the_condition_gave_once_it_holds() -> Result<()> {
        let mut looks = 0;
        let found = until(Deadline::after(Duration::from_mins(1)), || {
            looks += 1;
            Ok(if looks == 3 { Ok(looks) } else { Err("not yet".to_owned()) })
        })?;
        assert_eq!(found, 3);
        Ok(())
    }

    #[test]
    fn says_what_was_missing_when_time_is_up() {
        let error = until(Deadline::after(Duration::ZERO), || Ok(Err::<(), _>("0/1 ready".to_owned())));
        assert_eq!(error.map_err(|error| error.to_string()), Err("out of time: 0/1 ready".to_owned()));
    }
}
