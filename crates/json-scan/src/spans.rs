//! Where all the values in a text are, found while it is checked: nothing of it has to be gone over again.

use smallvec::SmallVec;

use crate::check::{Size, scan};

/// Where a value, or a key, begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    begin: u32,
    end: u32,
}

/// A text with the spans of its values and keys, in the order in which they begin.
#[derive(Clone, Debug)]
pub struct Spans<'t> {
    text: &'t str,
    spans: Vec<Span>,
}

impl<'t> Spans<'t> {
    /// Those of a text, and how much there is in it, if it is exactly one JSON text (RFC 8259). Where it has more than `most`
    /// elements, the spans are of no use.
    pub fn of(text: &'t str, most: u32) -> Option<(Self, Size)> {
        // Few values have fewer bytes, with key and comma; a long text may be a single one.
        let mut finding = Finding::of_at_most(most, (text.len() / 16).clamp(4, 256));
        let size = scan(text, &mut finding)?;
        Some((Self { text, spans: finding.spans }, size))
    }

    /// The text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Goes over them, beginning with the whole value.
    pub fn walk(&self) -> Walk<'t, '_> {
        Walk { text: self.text, rest: &self.spans }
    }
}

/// The spans that were found so far.
pub(crate) struct Finding {
    spans: Vec<Span>,
    /// Which of them are arrays and objects that have not ended.
    open: SmallVec<[u32; 16]>,
    /// Of how many elements they are told, if they are.
    most: Option<u32>,
}

impl Finding {
    /// None will be.
    pub fn nothing() -> Self {
        Self { spans: Vec::new(), open: SmallVec::new(), most: None }
    }

    /// Those of so many elements will be, and there is room for so many spans.
    pub fn of_at_most(most: u32, room: usize) -> Self {
        Self { spans: Vec::with_capacity(room), open: SmallVec::new(), most: Some(most) }
    }

    /// A value or a key begins and ends.
    pub fn add(&mut self, begin: usize, end: usize) {
        if self.most.is_some() {
            self.spans.push(Span { begin: begin as u32, end: end as u32 });
        }
    }

    /// There are so many elements by now.
    pub fn count(&mut self, elements: u32) {
        self.most = self.most.filter(|most| elements <= *most);
    }

    /// An array or an object begins.
    pub fn open(&mut self, begin: usize) {
        if self.most.is_some() {
            self.open.push(self.spans.len() as u32);
            self.add(begin, begin);
        }
    }

    /// The one that began last ends.
    pub fn close(&mut self, end: usize) {
        let last = self.open.pop().and_then(|number| self.spans.get_mut(number as usize));
        last.into_iter().for_each(|span| span.end = end as u32);
    }
}

/// Goes over the values of a text, each once: takes them whole, or enters them.
#[derive(Clone, Debug)]
pub struct Walk<'t, 's> {
    text: &'t str,
    /// The spans of the next value and of those behind it.
    rest: &'s [Span],
}

/// What was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Its bracket: `[` or `{`.
    pub bracket: u8,
    /// Where it ends.
    end: u32,
}

impl<'t> Walk<'t, '_> {
    /// Enters the array or the object that is next; none where it is another value.
    pub fn enter(&mut self) -> Option<Entered> {
        let (Span { begin, end }, rest) = self.rest.split_first()?;
        let bracket = *self.text.as_bytes().get(*begin as usize)?;
        if !matches!(bracket, b'[' | b'{') {
            return None;
        }
        self.rest = rest;
        Some(Entered { bracket, end: *end })
    }

    /// Whether there is more in what was entered. In an object, a key is next then, and its value behind that.
    pub fn is_in(&self, entered: Entered) -> bool {
        self.rest.first().is_some_and(|next| next.begin < entered.end)
    }

    /// Takes the key that is next: as it is spelled, and what it means, where that is spelled as it is.
    pub fn key(&mut self) -> (&'t str, Option<&'t str>) {
        let Some((Span { begin, end }, rest)) = self.rest.split_first() else { return ("", None) };
        self.rest = rest;
        let (begin, end) = (*begin as usize, *end as usize);
        let inner = self.text.get(begin + 1..end.saturating_sub(1)).filter(|inner| !inner.as_bytes().contains(&b'\\'));
        (self.text.get(begin..end).unwrap_or_default(), inner)
    }

    /// Takes the value that is next.
    pub fn take(&mut self) -> &'t str {
        let Some((span, mut rest)) = self.rest.split_first() else { return "" };
        while let Some((within, after)) = rest.split_first()
            && within.begin < span.end
        {
            rest = after;
        }
        self.rest = rest;
        self.text.get(span.begin as usize..span.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that a walk comes by, with their brackets and keys.
    fn walked(walk: &mut Walk<'_, '_>, takes: &[&str]) -> String {
        let Some(entered) = walk.clone().enter() else { return walk.take().to_owned() };
        if let Some(value) = Some(walk.clone().take()).filter(|value| takes.contains(value)) {
            walk.take();
            return format!("<{value}>");
        }
        walk.enter();
        let mut all = Vec::new();
        while walk.is_in(entered) {
            let key = if entered.bracket == b'{' { format!("{}=", walk.key().0) } else { String::new() };
            all.push(key + &walked(walk, takes));
        }
        format!("{}{}", char::from(entered.bracket), all.join(" "))
    }

    #[test]
    fn every_value_is_come_by_once() {
        for (text, expected) in [
            (" 1 ", "1"),
            (r#" [ ] "#, "["),
            (r#"{}"#, "{"),
            (r#"{"a" : [1,{}, [ ]],"b":{"c":"d]}"} , "e" : null}"#, r#"{"a"=[1 { [ "b"={"c"="d]}" "e"=null"#),
            (r#"[[[1]],[2],"\"",-3.5e+1]"#, r#"[[[1 [2 "\"" -3.5e+1"#),
        ] {
            let (spans, _) = Spans::of(text, 100).unwrap();
            assert_eq!(walked(&mut spans.walk(), &[]), expected, "of {text}");
        }
    }

    #[test]
    fn a_key_means_what_it_spells_where_nothing_is_escaped() {
        let (spans, _) = Spans::of(r#"{"":1,"ab":2,"\u0061":3,"a longer key, and one with a \\":4}"#, 100).unwrap();
        let mut walk = spans.walk();
        let (entered, mut keys) = (walk.enter().unwrap(), Vec::new());
        while walk.is_in(entered) {
            keys.push(walk.key());
            walk.take();
        }
        let long = r#""a longer key, and one with a \\""#;
        assert_eq!(keys, [("\"\"", Some("")), ("\"ab\"", Some("ab")), (r#""\u0061""#, None), (long, None)]);
    }

    #[test]
    fn a_value_without_elements_is_none_too_many() {
        let (spans, size) = Spans::of(" \"a\" ", 0).unwrap();
        assert_eq!((spans.walk().take(), size), ("\"a\"", Size::default()));
    }

    #[test]
    fn spans_of_too_much_are_not_kept() {
        for text in [format!("[{}1]", "1,".repeat(1_000)), format!("[{}[]]", "[],".repeat(1_000)), "[".repeat(1_000)] {
            let mut finding = Finding::of_at_most(50, 0);
            let size = scan(&text, &mut finding);
            assert!(finding.spans.len() < 110 && finding.open.len() < 110, "of {text}");
            assert_eq!(size, Size::of(&text));
        }
    }

    #[test]
    fn what_is_taken_whole_is_not_entered() {
        let (spans, _) = Spans::of(r#"{"a":[1,[2]],"b":{"c":[{}]},"d":3}"#, 100).unwrap();
        assert_eq!(
            walked(&mut spans.walk(), &["[1,[2]]", r#"{"c":[{}]}"#]),
            r#"{"a"=<[1,[2]]> "b"=<{"c":[{}]}> "d"=3"#
        );
        assert_eq!(spans.walk().take(), spans.text());
    }
}
