//! How much a caller may take, and what is kept of what they took: the algebra, without any place or time of its own.
//!
//! - A **rate** is the generic cell rate algorithm. What is kept is the *theoretical arrival time*: the moment at
//!   which the caller will have paid for all it took. Each unit moves it on by the rate's interval; units are
//!   refused when that would move it further ahead of now than the burst allows. Source: ITU-T I.371 annex A, virtual
//!   scheduling form.
//! - A **window** is so many units in an hour, a day or a month of the calendar, in UTC. What is kept is how many
//!   were taken, and the moment at which the window ends.
//! - A **sliding window** is so many units in any span of a length, whenever it begins. What is kept is how many were
//!   taken in each of some pieces of it; the piece that is half out of the span counts whole, so that no span has more
//!   units than there are, and they come back a piece of it late at most.
//!
//! What is refused takes nothing, so a caller who keeps knocking is not punished for it. Atomicity is the
//! caller's.

mod sliding;

use crate::calendar;
use sliding::Piece;

/// How much a caller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Units that come back one by one.
    Rate {
        /// Microseconds in which one unit comes back; at least 1.
        interval: u64,
        /// Units that may be taken at one instant; at least 1.
        burst: u32,
    },
    /// Units that come back all at once.
    Window {
        /// When.
        span: Span,
        /// Units in one window; at least 1.
        most: u32,
    },
    /// Units that come back as long after they were taken as the span is.
    Sliding {
        /// The span; at least a second.
        span: Micros,
        /// Units in any span of that length; at least 1.
        most: u32,
    },
}

/// How long a window is: it begins and ends with the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Hour,
    Day,
    Month,
}

/// A moment or a span, in microseconds since 1970.
pub type Micros = u64;

/// Into how many pieces a sliding window is cut: whole hours of a day. One more is half out of it.
const PIECES: usize = 24;

const HOUR: Micros = 3_600_000_000;
const DAY: Micros = 24 * HOUR;

/// What is kept of what was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The moment from which on nothing of it counts any more; of a rate, the arrival time.
    pub until: Micros,
    /// Units taken in a window of the calendar; otherwise 0.
    pub count: u64,
    /// Units taken in the pieces of a sliding window, the newest first; otherwise 0.
    pub pieces: [u32; PIECES + 1],
}

/// What one attempt to take units came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether they were taken.
    pub admitted: bool,
    /// Units that could still be taken at this instant.
    pub remaining: u32,
    /// Microseconds until one unit more than `remaining` can be taken; for those that were refused, until as
    /// many can be.
    pub next_unit: Micros,
}

impl Quota {
    /// The most units that can be taken at one instant.
    pub fn most(&self) -> u32 {
        match self {
            Self::Rate { burst, .. } => *burst,
            Self::Window { most, .. } | Self::Sliding { most, .. } => *most,
        }
    }

    /// The span in which an empty quota is full again, at most.
    pub fn window(&self) -> Micros {
        match self {
            Self::Rate { interval, burst } => interval.saturating_mul(u64::from(*burst)),
            Self::Window { span: Span::Hour, .. } => HOUR,
            Self::Window { span: Span::Day, .. } => DAY,
            Self::Window { span: Span::Month, .. } => 31 * DAY,
            Self::Sliding { span, .. } => *span,
        }
    }

    /// The moment at which the window ends that `now` is in; of a rate, at which it is full again at most.
    pub fn ends(&self, now: Micros) -> Micros {
        match self {
            Self::Rate { .. } => now.saturating_add(self.window()),
            Self::Window { span, .. } => span.end(now),
            Self::Sliding { span, .. } => Piece::of(*span, now).end(0),
        }
    }

    /// Takes units at `now`, of which so much was taken before. Gives the verdict, and what is to be kept.
    pub fn spend(&self, taken: Taken, units: u32, now: Micros) -> (Verdict, Taken) {
        let taken = self.as_of(taken, now);
        match *self {
            Self::Rate { interval, .. } => {
                let window = self.window();
                let owed = taken.until.saturating_sub(now);
                let cost = interval.saturating_mul(u64::from(units));
                let after = owed.saturating_add(cost);
                let admitted = after <= window;
                let owed = if admitted { after } else { owed };
                let free = window - owed;
                let remaining = u32::try_from(free / interval).unwrap_or(u32::MAX);
                let next_unit = if admitted { interval - free % interval } else { cost.saturating_sub(free) };
                let kept = if admitted { Taken { until: now.saturating_add(owed), ..Taken::default() } } else { taken };
                (Verdict { admitted, remaining, next_unit }, kept)
            }
            Self::Window { span, most } => {
                let end = span.end(now);
                let before = if taken.until > now { taken.count } else { 0 };
                let after = before.saturating_add(u64::from(units));
                let admitted = after <= u64::from(most);
                let count = if admitted { after } else { before };
                let remaining = u32::try_from(u64::from(most).saturating_sub(count)).unwrap_or(u32::MAX);
                let kept = if admitted { Taken { until: end, count, ..Taken::default() } } else { taken };
                (Verdict { admitted, remaining, next_unit: end - now }, kept)
            }
            Self::Sliding { span, most } => {
                let piece = Piece::of(span, now);
                let mut pieces = piece.pieces(&taken);
                let before: u64 = pieces.iter().copied().map(u64::from).sum();
                let after = before.saturating_add(u64::from(units));
                let admitted = after <= u64::from(most);
                if let Some(newest) = pieces.first_mut().filter(|_| admitted) {
                    *newest = newest.saturating_add(units);
                }
                let sum = if admitted { after } else { before };
                let remaining = u32::try_from(u64::from(most).saturating_sub(sum)).unwrap_or(u32::MAX);
                let wanted = if admitted { 1 } else { after.saturating_sub(u64::from(most)) };
                let next_unit = piece.back_at(&pieces, wanted).saturating_sub(now);
                let kept = if admitted { Taken { until: piece.end(0), count: 0, pieces } } else { taken };
                (Verdict { admitted, remaining, next_unit }, kept)
            }
        }
    }

    /// What was taken, as this quota has it: one that shrank or became another since, or a clock that went back,
    /// must not lock a caller out for longer than it can itself.
    fn as_of(&self, taken: Taken, now: Micros) -> Taken {
        Taken { until: taken.until.min(self.ends(now)), ..taken }
    }

    /// Takes as many units as there are, `most` at most; how many, and what [`Self::spend`] gives.
    pub fn spend_up_to(&self, taken: Taken, most: u32, now: Micros) -> (u32, Verdict, Taken) {
        let (there, _) = self.spend(taken, 0, now);
        let granted = there.remaining.min(most);
        let (verdict, kept) = self.spend(taken, granted, now);
        (granted, verdict, kept)
    }

    /// Gives units back that were taken at `since` or later: they count as never taken, but that others were refused
    /// for them. What they were taken of may be over: nothing is given back of what came after it.
    pub fn give_back(&self, taken: Taken, units: u32, since: Micros, now: Micros) -> Taken {
        match *self {
            Self::Rate { interval, .. } => {
                let until = taken.until.saturating_sub(interval.saturating_mul(u64::from(units)));
                Taken { until, ..Taken::default() }
            }
            Self::Window { .. } | Self::Sliding { .. } if taken.until <= now => taken,
            Self::Window { span, .. } if span.end(since) != taken.until => taken,
            Self::Window { .. } => Taken { count: taken.count.saturating_sub(u64::from(units)), ..taken },
            Self::Sliding { span, .. } => {
                let piece = Piece::of(span, now);
                let (mut pieces, mut left) = (piece.pieces(&taken), units);
                // Of the oldest that they can be of: what is taken out of a newer one would come back a second time.
                for taken in pieces.iter_mut().take(piece.older(since).saturating_add(1)).rev() {
                    let back = left.min(*taken);
                    (*taken, left) = (*taken - back, left - back);
                }
                Taken { until: piece.end(0), count: 0, pieces }
            }
        }
    }
}

impl Span {
    /// The end of the window that a moment is in.
    fn end(self, now: Micros) -> Micros {
        match self {
            Self::Hour => (now / HOUR + 1) * HOUR,
            Self::Day => (now / DAY + 1) * DAY,
            Self::Month => {
                let days = i64::try_from(now / DAY).unwrap_or(i64::MAX);
                u64::try_from(calendar::next_month(days)).unwrap_or_default() * DAY
            }
        }
    }

    const fn letter(self) -> &'static str {
        match self {
            Self::Hour => "h",
            Self::Day => "d",
            Self::Month => "m",
        }
    }
}

impl Quota {
    /// What a quota has in common with those that can go on with what is kept of it: rates; windows of one length.
    pub fn kind(&self) -> String {
        match self {
            Self::Rate { .. } => "rate".to_owned(),
            Self::Window { span, .. } => span.letter().to_owned(),
            Self::Sliding { span, .. } => format!("s{span}"),
        }
    }

    /// The form in which a quota goes to the place that counts.
    pub fn to_path(&self) -> String {
        match self {
            Self::Rate { interval, burst } => format!("{interval}/{burst}"),
            Self::Window { most, .. } | Self::Sliding { most, .. } => format!("{}/{most}", self.kind()),
        }
    }

    /// Reads [`Self::to_path`]'s form.
    pub fn from_path(text: &str) -> Option<Self> {
        let (first, most) = text.split_once('/')?;
        let most: u32 = most.parse().ok().filter(|most| *most > 0)?;
        if let Some(span) = [Span::Hour, Span::Day, Span::Month].into_iter().find(|span| span.letter() == first) {
            return Some(Self::Window { span, most });
        }
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        match first.strip_prefix('s') {
            Some(span) => number(span).map(|span| Self::Sliding { span, most }),
            None => number(first).map(|interval| Self::Rate { interval, burst: most }),
        }
    }
}

impl Taken {
    /// Whether it is at least as much as another: who is admitted after this is admitted after that. Of two that are of
    /// other windows neither is.
    pub fn covers(&self, other: &Self) -> bool {
        let is_of_rate = |taken: &Self| taken.count == 0 && taken.pieces.iter().all(|taken| *taken == 0);
        if is_of_rate(self) && is_of_rate(other) {
            return self.until >= other.until;
        }
        let has_pieces = self.pieces.iter().zip(&other.pieces).all(|(one, other)| one >= other);
        self.until == other.until && self.count >= other.count && has_pieces
    }

    /// The form in which it is kept.
    pub fn to_line(&self) -> String {
        let mut line = format!("{} {}", self.until, self.count);
        if let Some(oldest) = self.pieces.iter().rposition(|taken| *taken > 0) {
            self.pieces.iter().take(oldest + 1).for_each(|taken| line.push_str(&format!(" {taken}")));
        }
        line
    }

    /// Reads [`Self::to_line`]'s form.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut taken =
            Self { until: words.next()?.parse().ok()?, count: words.next()?.parse().ok()?, ..Self::default() };
        for (piece, word) in taken.pieces.iter_mut().zip(words) {
            *piece = word.parse().ok()?;
        }
        Some(taken)
    }
}

impl Verdict {
    /// The form in which a verdict comes back from the place that counts.
    pub fn to_line(&self) -> String {
        format!("{} {} {}", u8::from(self.admitted), self.remaining, self.next_unit)
    }

    /// Reads [`Self::to_line`]'s form.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let admitted = match words.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        Some(Self { admitted, remaining: words.next()?.parse().ok()?, next_unit: words.next()?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests;
