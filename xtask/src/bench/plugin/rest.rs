//! When a cluster has come to rest: after a deployment, and far longer after thousands of new objects, it keeps every processor
//! busy, and what is measured then is who gets the processors.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The part of the machine's processors that a cluster at rest is busy with at most: with one node it is a tenth of two.
const AT_REST: f64 = 0.25;

/// For so many looks in a row.
const LOOKS: usize = 5;
const INTERVAL: Duration = Duration::from_secs(1);

/// How long it may take: the controller of volumes looks at each of them more than once.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until the machine has little to do.
pub fn at_rest() -> Result<()> {
    busy_at_most(AT_REST)
}

/// Waits until at most this part of the machine's processors is busy.
pub fn busy_at_most(part: f64) -> Result<()> {
    let begin = Instant::now();
    let (mut looks, mut before) = (0, Processors::now()?);
    while looks < LOOKS {
        if begin.elapsed() > PATIENCE {
            bail!("the machine does not come to rest\nhint: end what else runs on it");
        }
        thread::sleep(INTERVAL);
        let now = Processors::now()?;
        looks = if now.busy_since(before) <= part { looks + 1 } else { 0 };
        before = now;
    }
    Ok(())
}

/// What the processors have done since the machine started, in ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Processors {
    idle: u64,
    all: u64,
}

impl Processors {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        Self::of(&text).context("/proc/stat does not tell what the processors do")
    }

    /// From the line `cpu` of `proc_stat(5)`: user, nice, system, idle, iowait, and more.
    fn of(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { idle: ticks.get(3)? + ticks.get(4)?, all: ticks.iter().take(8).sum() })
    }

    #[expect(clippy::cast_precision_loss, reason = "the differences are small")]
    fn busy_since(self, before: Self) -> f64 {
        let (idle, all) = (self.idle.saturating_sub(before.idle), self.all.saturating_sub(before.all));
        if all == 0 { 0.0 } else { 1.0 - idle as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_what_is_not_idle() -> Result<()> {
        let of = |text| Processors::of(text).context("it is not read");
        let before = of("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1\n")?;
        let now = of("cpu  150 0 150 850 150 0 0 0 9 9\n")?;
        assert!((now.busy_since(before) - 1.0 / 3.0).abs() < 1e-9, "{}", now.busy_since(before));
        assert!(before.busy_since(before).abs() < 1e-9);
        assert_eq!((Processors::of(""), Processors::of("cpu  1 2\n"), Processors::of("intr 1\n")), (None, None, None));
        Ok(())
    }
}
