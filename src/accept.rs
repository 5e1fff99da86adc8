//! How an `Accept` field likes media types (RFC 9110, section 12.5.1).

/// How a media range is liked: the place at which it stands, and its quality in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liking {
    pub place: usize,
    pub quality: u32,
}

/// How a field likes a media range that it names, such as `text/html` or `*/*`; one whose quality cannot be read is
/// not liked. Of a range that is named twice, the first counts. Types do not differ by upper and lower case.
pub fn liking(accept: &str, name: &str) -> Option<Liking> {
    accept.split(',').enumerate().find_map(|(place, range)| {
        let mut pieces = range.split(';').map(str::trim);
        if !pieces.next()?.eq_ignore_ascii_case(name) {
            return None;
        }
        let mut parameters = pieces.filter_map(|piece| piece.split_once('='));
        let quality = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let quality = quality.map_or(Some(1_000), |(_, quality)| thousandths(quality.trim()));
        Some(Liking { place, quality: quality.unwrap_or(0) })
    })
}

/// A quality, `0` to `1` with three decimals at most, in thousandths.
fn thousandths(quality: &str) -> Option<u32> {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 {
        return None;
    }
    let thousandths: u32 = format!("{whole}{decimals:0<3}").parse().ok()?;
    Some(thousandths).filter(|thousandths| *thousandths <= 1_000)
}
