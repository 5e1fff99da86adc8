//! Patterns of segments, and all of them that a path belongs to, the most specific first.
//!
//! `matchit` gives the one best pattern for a path; a gateway needs the next best too, where the
//! best one's other conditions (method, header, …) do not hold. So there is one tree for each *shape*:
//! patterns of one shape that take the same path are the same pattern, and shapes have an order. A
//! lookup asks as many trees as there are shapes of that length, however many patterns they hold.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// A set of patterns `/a/{b}/{*rest}`, each with a value.
#[derive(Debug)]
pub struct Patterns<T> {
    /// The most specific shape first.
    trees: Vec<Tree>,
    by_pattern: HashMap<String, usize>,
    values: Vec<T>,
}

#[derive(Debug)]
struct Tree {
    shape: Vec<Segment>,
    /// From a pattern to its number in `values`.
    patterns: matchit::Router<usize>,
}

/// What a segment of a pattern takes. Later ones say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    /// `{*name}`: all that is left.
    Rest,
    /// `{name}`: one segment.
    Name,
    /// Text around a name, by its lengths: of two texts of the same lengths, one segment has one.
    Partial { text: usize, before: usize },
    /// Fixed text.
    Fixed,
}

/// What a pattern captured, in its order.
pub type Captured<'p> = Vec<&'p str>;

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self { trees: Vec::new(), by_pattern: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Default> Patterns<T> {
    /// The value of a pattern, a new one if the pattern is new. Names do not count: `/{a}` is `/{b}`.
    ///
    /// # Errors
    /// What `matchit` says where the text is no pattern.
    pub fn entry(&mut self, pattern: &str) -> Result<&mut T, String> {
        let canonical = with_numbers_for_names(pattern);
        let at = match self.by_pattern.get(&canonical) {
            Some(at) => *at,
            None => {
                let at = self.values.len();
                let patterns = self.tree(shape(pattern));
                patterns.insert(&canonical, at).map_err(|error| error.to_string())?;
                if let Some((before, _)) = canonical.split_once("{*") {
                    // A rest may be empty, which `matchit` does not take for one.
                    patterns.insert(before, at).map_err(|error| error.to_string())?;
                }
                self.values.push(T::default());
                self.by_pattern.insert(canonical, at);
                at
            }
        };
        self.values.get_mut(at).ok_or_else(|| "is not there".to_owned())
    }

    fn tree(&mut self, shape: Vec<Segment>) -> &mut matchit::Router<usize> {
        let more_specific_first = |tree: &Tree| shape.cmp(&tree.shape);
        let at = match self.trees.binary_search_by(more_specific_first) {
            Ok(at) => at,
            Err(at) => {
                self.trees.insert(at, Tree { shape, patterns: matchit::Router::new() });
                at
            }
        };
        #[allow(clippy::indexing_slicing)] // Found there, or just put there.
        &mut self.trees[at].patterns
    }
}

impl<T> Patterns<T> {
    /// Gives the values of all patterns that `path` belongs to to `take`, the most specific first, each with what
    /// its pattern captures of it, until that breaks.
    pub fn matching<'s: 'p, 'p>(
        &'s self,
        path: &'p str,
        take: &mut dyn FnMut(&'s T, Captured<'p>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let segments = path.bytes().filter(|byte| *byte == b'/').count();
        for Tree { shape, patterns } in &self.trees {
            let is_as_long = match shape.last() {
                Some(Segment::Rest) => segments >= shape.len(),
                _ => segments == shape.len(),
            };
            if is_as_long
                && let Ok(matched) = patterns.at(path)
                && let Some(value) = self.values.get(*matched.value)
            {
                take(value, matched.params.iter().map(|(_, value)| value).collect())?;
            }
        }
        ControlFlow::Continue(())
    }

    /// All values, those of more specific shapes first, then in the order in which their patterns came.
    pub fn by_precedence(&self) -> impl Iterator<Item = &T> {
        let mut numbers: Vec<_> = self.by_pattern.iter().map(|(pattern, at)| (Reverse(shape(pattern)), *at)).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|(_, at)| self.values.get(at))
    }

    /// Lets go of what is needed for more patterns alone, and of the order in which they came.
    pub fn settle(&mut self, settle: impl FnMut(&mut T)) {
        self.by_pattern = HashMap::new();
        self.trees.shrink_to_fit();
        // A copy has no room to spare in any of its nodes.
        self.trees.iter_mut().for_each(|tree| tree.patterns = tree.patterns.clone());
        self.values.shrink_to_fit();
        self.values.iter_mut().for_each(settle);
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values, in the order in which their patterns came.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }
}

/// Which of two patterns says more of a path that belongs to both: at the first segment where they
/// differ, fixed text goes before text around a name, that before a name, a name before a rest.
pub fn by_specificity(one: &str, other: &str) -> Ordering {
    shape(one).cmp(&shape(other))
}

fn shape(pattern: &str) -> Vec<Segment> {
    let segments = pattern.split('/').skip(1);
    segments
        .map(|segment| match (segment.find('{'), segment.find('}')) {
            (Some(_), _) if segment.starts_with("{*") => Segment::Rest,
            (Some(open), Some(close)) if open == 0 && close + 1 == segment.len() => Segment::Name,
            (Some(before), Some(close)) => {
                Segment::Partial { text: before + segment.len().saturating_sub(close + 1), before }
            }
            _ => Segment::Fixed,
        })
        .collect()
}

/// `/a/{id}/{*rest}` as `/a/{0}/{*1}`.
fn with_numbers_for_names(pattern: &str) -> String {
    let mut canonical = String::with_capacity(pattern.len());
    for (number, piece) in pattern.split('{').enumerate() {
        match (number.checked_sub(1), piece.split_once('}')) {
            (Some(number), Some((name, after))) => {
                let star = if name.starts_with('*') { "*" } else { "" };
                canonical.push_str(&format!("{{{star}{number}}}{after}"));
            }
            _ => canonical.push_str(piece),
        }
    }
    canonical
}
