//! Bounds of settings: values that can be read and make no sense are faults of the file.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::settings::{Place, Problems};

/// What can be shown as it is written in the file.
pub trait Written {
    /// The text, as an operator writes it.
    fn written(&self) -> String;
}

impl Written for u32 {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl Written for Duration {
    fn written(&self) -> String {
        match self.as_millis() {
            millis if millis % 1_000 != 0 => format!("{millis}ms"),
            millis if millis % 60_000 != 0 || millis == 0 => format!("{}s", millis / 1_000),
            millis => format!("{}m", millis / 60_000),
        }
    }
}

/// The value if it is within `bounds`; notes one that is not.
pub fn within<T: PartialOrd + Written>(
    value: T,
    bounds: RangeInclusive<T>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<T> {
    if bounds.contains(&value) {
        return Some(value);
    }
    let (value, least, most) = (value.written(), bounds.start().written(), bounds.end().written());
    problems.add(place, format!("is {value}, must be from {least} to {most}"));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_as_they_are_written() {
        for (millis, text) in [(0, "0s"), (250, "250ms"), (1_500, "1500ms"), (90_000, "90s"), (600_000, "10m")] {
            assert_eq!(Duration::from_millis(millis).written(), text);
        }
    }
}
