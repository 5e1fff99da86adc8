//! Bounds of settings: values that can be read and make no sense are faults of the file.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use crate::settings::{Place, Problems};

/// The value if it is within `bounds`; notes one that is not. Numbers and times show as they are
/// written.
pub(super) fn within<T: PartialOrd + Debug>(
    value: T,
    bounds: RangeInclusive<T>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<T> {
    if bounds.contains(&value) {
        return Some(value);
    }
    problems.add(place, format!("is {value:?}, must be from {:?} to {:?}", bounds.start(), bounds.end()));
    None
}
