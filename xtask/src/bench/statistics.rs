//! What many measurements come to.

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time, in seconds.
    Seconds,
    /// Memory, in bytes; shown in MiB.
    Memory,
    /// The size of a file, in bytes; shown in MB.
    Size,
}

/// The least, the middle and the most of what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    unit: Unit,
    min: f64,
    /// Of an even number of measurements, the mean of the two in the middle.
    pub median: f64,
    max: f64,
}

impl Spread {
    /// Of nothing there is none.
    pub fn of(unit: Unit, measured: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (below, above) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Self { unit, min: *sorted.first()?, median: f64::midpoint(*below, *above), max: *sorted.last()? })
    }

    /// `min / median / max` in one unit, or the one number if there was no more.
    pub fn shown(&self) -> String {
        let scale = self.unit.scale(self.median);
        if self.min.total_cmp(&self.max).is_eq() {
            return scale.with_name(self.median);
        }
        format!("{} / {} / {}", scale.number(self.min), scale.number(self.median), scale.with_name(self.max))
    }

    /// The median alone.
    pub fn middle(&self) -> String {
        self.unit.shown(self.median)
    }

    /// What it is measured in.
    pub fn unit(&self) -> Unit {
        self.unit
    }
}

impl Unit {
    /// A value with the name of the unit, in the size of unit that suits it.
    pub fn shown(self, value: f64) -> String {
        self.scale(value).with_name(value)
    }

    fn scale(self, around: f64) -> Scale {
        let scale = |factor, decimals, name| Scale { factor, decimals, name };
        match self {
            Self::Seconds if around.abs() < 0.01 => scale(1e3, 1, " ms"),
            Self::Seconds if around.abs() < 1.0 => scale(1e3, 0, " ms"),
            Self::Seconds => scale(1.0, 2, " s"),
            Self::Memory => scale(1.0 / f64::from(1 << 20), 1, " MiB"),
            Self::Size => scale(1e-6, 1, " MB"),
        }
    }
}

struct Scale {
    factor: f64,
    decimals: usize,
    name: &'static str,
}

impl Scale {
    fn number(&self, value: f64) -> String {
        format!("{:.*}", self.decimals, value * self.factor)
    }

    fn with_name(&self, value: f64) -> String {
        format!("{}{}", self.number(value), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(measured: &[f64]) -> String {
        Spread::of(Unit::Seconds, measured.iter().copied()).map(|spread| spread.shown()).unwrap_or_default()
    }

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two() {
        let median = |measured: &[f64]| Spread::of(Unit::Seconds, measured.iter().copied()).map(|spread| spread.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn all_three_are_in_the_unit_of_the_median() {
        assert_eq!(seconds(&[0.0131, 0.012, 1.5]), "12 / 13 / 1500 ms");
        assert_eq!(seconds(&[0.0031, 0.0012, 0.0055]), "1.2 / 3.1 / 5.5 ms");
        assert_eq!(seconds(&[2.0, 3.256, 0.5]), "0.50 / 2.00 / 3.26 s");
    }

    #[test]
    fn what_was_measured_once_is_one_number() {
        assert_eq!(seconds(&[2.0]), "2.00 s");
        assert_eq!(Unit::Size.shown(9_251_048.0), "9.3 MB");
        assert_eq!(Unit::Memory.shown(10.0 * 1024.0 * 1024.0), "10.0 MiB");
    }
}
