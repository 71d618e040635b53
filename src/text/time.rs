//! Times as people read them.

use jiff::SignedDuration;

/// A duration as kubectl shows an age: `42s`, `5m12s`, `3h5m`, `2d4h`, `40d`.
#[must_use]
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, below: char| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{below}"),
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

/// Milliseconds as seconds.
#[must_use]
pub fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_as_kubectl_shows_them() {
        for (seconds, shown) in [
            (-5, "0s"),
            (119, "119s"),
            (120, "2m"),
            (312, "5m12s"),
            (3599, "59m"),
            (7200, "120m"),
            (11_100, "3h5m"),
            (100_000, "27h"),
            (187_200, "2d4h"),
            (3_456_000, "40d"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), shown, "{seconds}");
        }
    }
}
