//! The pieces that a sliding window is cut into.

use super::{Micros, PIECES, Taken};

/// The newest piece of a sliding window.
pub struct Piece {
    length: Micros,
    number: u64,
}

impl Piece {
    /// The one that a moment is in.
    pub fn of(span: Micros, now: Micros) -> Self {
        let length = span.div_ceil(PIECES as u64).max(1);
        Self { length, number: now / length }
    }

    /// The moment at which a piece counts no more, by how much older it is.
    pub fn end(&self, older: usize) -> Micros {
        (self.number + PIECES as u64 + 1).saturating_sub(older as u64).saturating_mul(self.length)
    }

    /// How many pieces older that one is that a moment is in; 0 of one that is to come.
    pub fn older(&self, moment: Micros) -> usize {
        usize::try_from(self.number.saturating_sub(moment / self.length)).unwrap_or(usize::MAX)
    }

    /// What was taken, as the pieces are now.
    pub fn pieces(&self, taken: &Taken) -> [u32; PIECES + 1] {
        let newest = (taken.until / self.length).saturating_sub(PIECES as u64 + 1);
        let passed = usize::try_from(self.number.saturating_sub(newest)).unwrap_or(usize::MAX);
        let mut pieces = [0; PIECES + 1];
        pieces.iter_mut().skip(passed).zip(taken.pieces).for_each(|(now, then)| *now = then);
        pieces
    }

    /// The moment at which so many units are back.
    pub fn back_at(&self, pieces: &[u32], wanted: u64) -> Micros {
        let mut back = 0u64;
        for (older, taken) in pieces.iter().enumerate().rev() {
            back = back.saturating_add(u64::from(*taken));
            if *taken > 0 && back >= wanted {
                return self.end(older);
            }
        }
        self.end(0)
    }
}
