//! What a path pattern is: `/orders/{id}`, `/files/{*rest}`.

use crate::path::NormalPath;

/// The names that a pattern captures.
pub fn captures(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name.trim_start_matches('*'))
}

/// Whether a text is a path pattern; the error completes "is PATTERN, which …".
///
/// Its fixed text must be in normal form, or no request could ever reach it; and free of the
/// characters that a client may spell in two ways that no server is bound to read alike.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut sample = String::new();
    let mut fixed = String::new();
    let mut rest = pattern;
    while let Some((before, inner)) = rest.split_once('{') {
        let (name, after) = inner.split_once('}').ok_or("has a brace without its partner")?;
        if name.starts_with('*') && !after.is_empty() {
            return Err(format!("has {{{name}}} before its end; a rest comes last"));
        }
        if name.starts_with('*') && !before.ends_with('/') {
            return Err(format!("has {{{name}}} after other text; a rest begins after a slash"));
        }
        if after.split('/').next().is_some_and(|segment| segment.contains('{')) {
            return Err("has two names in one segment; one is allowed".to_owned());
        }
        let bare = name.strip_prefix('*').unwrap_or(name);
        if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("captures {{{name}}}; a name is of letters, digits and _"));
        }
        sample.push_str(before);
        sample.push('x');
        fixed.push_str(before);
        rest = after;
    }
    sample.push_str(rest);
    fixed.push_str(rest);
    let names: Vec<_> = captures(pattern).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name)) {
        return Err(format!("captures {{{}}} twice", twice.1));
    }
    NormalPath::check_written(&sample)?;
    no_other_syntax(&sample, "{*rest}")?;
    match ["&", "=", "+", "%26", "%3D", "%2B", "%3B"].iter().find(|text| fixed.contains(**text)) {
        Some(text) => Err(format!("has {text} in its fixed text, which servers read in two ways")),
        None => Ok(()),
    }
}

/// Other routers write `/*` and `/:name` for what is `/{*rest}` and `/{name}` here. Taken for text,
/// such a pattern would guard nothing. `sample` has a letter in the place of each value; `rest` is
/// how the catch-all is written in this place.
pub fn no_other_syntax(sample: &str, rest: &str) -> Result<(), String> {
    if sample.contains('*') {
        return Err(format!("has a * outside braces; write {rest}"));
    }
    match sample.split("/:").nth(1).and_then(|after| after.split('/').next()) {
        Some(name) => Err(format!("has \":{name}\"; write {{{name}}}")),
        None => Ok(()),
    }
}
