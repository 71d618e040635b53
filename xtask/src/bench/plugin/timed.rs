//! Whole processes, timed; and several acts in turns.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::bench::statistics::{Spread, Unit};
use crate::process;

/// Something to measure: does it once and gives what came out.
pub type Act<'a> = Box<dyn FnMut() -> Result<f64> + 'a>;

/// How many seconds it takes from the start of a program to its end. What it prints is thrown away; one that fails is an
/// error.
pub fn whole(mut command: Command) -> Result<f64> {
    whole_with(command.stdin(Stdio::null()))
}

/// The same for one that has something to read.
pub fn whole_with(command: &mut Command) -> Result<f64> {
    let begin = Instant::now();
    let output = command.stdout(Stdio::null()).output();
    let took = begin.elapsed().as_secs_f64();
    let output = output.with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed: {}\n{stderr}", process::shown(command), output.status);
    }
    Ok(took)
}

/// How many seconds several programs take, one after the other.
pub fn in_a_row(commands: impl IntoIterator<Item = Command>) -> Result<f64> {
    commands.into_iter().map(whole).sum()
}

/// The most memory that a program had resident, in bytes.
pub fn memory(command: &Command) -> Result<f64> {
    let mut time = Command::new("/usr/bin/time");
    time.args(["--format", "%M"]).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => time.env(name, value),
            None => time.env_remove(name),
        };
    }
    let output = time.output().context("cannot start /usr/bin/time")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("`{}` failed: {}\n{stderr}", process::shown(&time), output.status);
    }
    let kibibytes: u32 = stderr.lines().last().unwrap_or_default().parse().context("/usr/bin/time says nothing")?;
    Ok(f64::from(kibibytes) * 1024.0)
}

/// Does each act so many times, in turns and each time beginning with another one, so that what else the machine does meets
/// all alike. A turn before fills the caches and does not count.
pub fn in_turns<const N: usize>(unit: Unit, rounds: usize, mut acts: [Act; N]) -> Result<[Spread; N]> {
    let mut measured: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(rounds));
    for round in 0..=rounds {
        for turn in 0..N {
            let index = (round + turn) % N;
            let figure = acts[index]()?;
            if round > 0 {
                measured[index].push(figure);
            }
        }
    }
    let spreads: Option<Vec<Spread>> = measured.into_iter().map(|measured| Spread::of(unit, measured)).collect();
    spreads.and_then(|spreads| spreads.try_into().ok()).context("nothing was measured")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn acts_take_turns_and_the_first_turn_does_not_count() -> Result<()> {
        let order = RefCell::new(String::new());
        let act = |name: char, figure: f64| -> Act<'_> {
            let mut first = true;
            let order = &order;
            Box::new(move || {
                order.borrow_mut().push(name);
                Ok(if std::mem::take(&mut first) { 1000.0 } else { figure })
            })
        };
        let [a, b] = in_turns(Unit::Seconds, 3, [act('a', 1.0), act('b', 2.0)])?;
        assert_eq!(order.borrow().as_str(), "abbaabba");
        assert_eq!((a.shown().as_str(), b.shown().as_str()), ("1.00 s", "2.00 s"));
        Ok(())
    }

    #[test]
    fn a_program_is_timed_to_its_end_and_must_succeed() -> Result<()> {
        let sleep = || {
            let mut sleep = Command::new("sleep");
            sleep.arg("0.05");
            sleep
        };
        assert!(in_a_row([sleep(), sleep()])? >= 0.1);
        let error = whole(Command::new("false")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("`false` failed")));
        Ok(())
    }
}
