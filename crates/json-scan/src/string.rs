//! Strings in JSON texts, eight bytes at a time: most are short, and most of what is in them ends nothing.

/// Where a string ends that begins at a byte; the text is known to be JSON.
#[inline]
pub fn string_end(bytes: &[u8], begin: usize) -> usize {
    short_string_end(bytes, begin, |_| 0).unwrap_or_else(|| long_string_end(bytes, begin))
}

#[inline(never)]
fn long_string_end(bytes: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    loop {
        at = next(bytes, at, |word| equal(word, b'"') | equal(word, b'\\'));
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => return bytes.len(),
        }
    }
}

/// Where a string ends that begins at a byte, if it is one (RFC 8259, section 7).
#[inline]
pub fn checked_string_end(bytes: &[u8], begin: usize) -> Option<usize> {
    short_string_end(bytes, begin, control).or_else(|| checked_long_string_end(bytes, begin))
}

#[inline(never)]
fn checked_long_string_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + 1;
    loop {
        at = next(bytes, at, |word| equal(word, b'"') | equal(word, b'\\') | control(word));
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape_end(bytes, at)?,
            _ => return None,
        }
    }
}

/// Where a string ends that is over within eight bytes, without an escape in it or what `ends` finds.
#[inline(always)]
fn short_string_end(bytes: &[u8], begin: usize, ends: impl Fn(u64) -> u64) -> Option<usize> {
    let word = u64::from_le_bytes(*bytes.get(begin + 1..)?.first_chunk()?);
    let found = equal(word, b'"') | equal(word, b'\\') | ends(word);
    let at = begin + 1 + found.trailing_zeros() as usize / 8;
    (found != 0 && bytes.get(at) == Some(&b'"')).then_some(at + 1)
}

/// Where an escape ends that begins at a byte. A surrogate may stand alone.
fn escape_end(bytes: &[u8], begin: usize) -> Option<usize> {
    match bytes.get(begin + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(begin + 2),
        b'u' => {
            let digits = bytes.get(begin + 2..begin + 6)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(begin + 6)
        }
        _ => None,
    }
}

/// The first place from one on where a byte is found by its bit: the highest of its byte in the word of eight that
/// `find` is given. Bits of bytes after the first found may be wrong. The end, where there is none.
#[inline(always)]
fn next(bytes: &[u8], mut at: usize, find: impl Fn(u64) -> u64) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = find(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    // With zeros behind it, which are control characters: they are no part of it.
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let found = find(u64::from_le_bytes(last));
    if found == 0 { bytes.len() } else { bytes.len().min(at + found.trailing_zeros() as usize / 8) }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = ONES << 7;

/// The bits of bytes that are zero; of those after the first, maybe more (Warren, Hacker's Delight, section 6-1).
fn zero(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHEST
}

/// The bits of bytes that are this one.
fn equal(word: u64, byte: u8) -> u64 {
    zero(word ^ (ONES * u64::from(byte)))
}

/// The bits of control characters.
fn control(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGHEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_wherever_its_quote_is() {
        for length in 0..40 {
            for filling in ["a", "\\\"", "ü", "\\\\", "\u{7f}"] {
                let inner = filling.repeat(length);
                for after in ["", "\"", ",\"b\":\"c\"}"] {
                    let text = format!("[\"{inner}\"{after}");
                    let end = 1 + inner.len() + 2;
                    assert_eq!(string_end(text.as_bytes(), 1), end, "of {text}");
                    assert_eq!(checked_string_end(text.as_bytes(), 1), Some(end), "of {text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_string_has_no_end() {
        for at in 0..20 {
            let before = "a".repeat(at);
            for inner in ["", "\u{0}", "\u{1f}\"", "\n\"", "\\\"", "\\x\"", "\\u12\"", "\\u123g\"", "\\u12", "\\"] {
                let text = format!("\"{before}{inner}");
                assert_eq!(checked_string_end(text.as_bytes(), 0), None, "of {text:?}");
                // Of what is no JSON, an end is told all the same, and none beyond it.
                assert!(string_end(text.as_bytes(), 0) <= text.len(), "of {text:?}");
            }
        }
    }
}
