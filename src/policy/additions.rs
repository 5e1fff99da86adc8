//! Named values that the file adds to what there is: those that stand in its place, those that stand
//! where there is nothing, those that stand beside it.

use crate::settings::{Named, Place, Problems};
use crate::template::TextTemplate;

/// Texts by name.
pub type Templates = Vec<(String, TextTemplate)>;

/// Compiled additions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Additions {
    /// In the place of all of their name.
    pub set: Templates,
    /// Where there is none of their name.
    pub add: Templates,
    /// Beside those of their name.
    pub append: Templates,
}

impl Additions {
    /// Compiles them; notes each fault. `read_name` gives the name that is meant.
    pub fn compile(
        written: [(&str, Option<Named<TextTemplate>>); 3],
        read_name: impl Fn(&str, &Place<'_>, &mut Problems) -> Option<String>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Self {
        let [set, add, append] = written.map(|(key, named)| {
            let place = place.at(key);
            let named = named.into_iter().flat_map(|named| named.0);
            let mut seen: Vec<String> = Vec::new();
            let compiled = named.filter_map(|(name, value)| {
                let place = place.at(&name);
                let name = read_name(&name, &place, problems)?;
                if seen.contains(&name) {
                    problems.add(&place, "stands twice: upper and lower case do not differ here");
                }
                seen.push(name.clone());
                let value = value?;
                if value.asks_for_a_secret() {
                    problems.add(&place, "asks for a secret; those are for the \"headers\" of services alone");
                }
                Some((name, value))
            });
            compiled.collect()
        });
        Self { set, add, append }
    }

    /// What is added, by name.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let named = |word: &'static str, all: &Templates| {
            all.iter().map(|(name, _)| format!("{word} {name}")).collect::<Vec<_>>()
        };
        named("set", &self.set).into_iter().chain(named("add", &self.add)).chain(named("append", &self.append))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.append.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &(String, TextTemplate)> {
        self.set.iter().chain(&self.add).chain(&self.append)
    }

    /// Both, where these count more, and nothing of the others' is left that is `removed`.
    pub fn over(&self, others: &Self, removed: &[String]) -> Self {
        let is_said = |of: &[&Templates], name: &str| of.iter().any(|all| all.iter().any(|(other, _)| other == name));
        let mut both = others.clone();
        for all in [&mut both.set, &mut both.add, &mut both.append] {
            all.retain(|(name, _)| !removed.contains(name));
        }
        both.set.retain(|(name, _)| !is_said(&[&self.set], name));
        both.add.retain(|(name, _)| !is_said(&[&self.set, &self.add], name));
        both.set.extend_from_slice(&self.set);
        both.add.extend_from_slice(&self.add);
        both.append.extend_from_slice(&self.append);
        both
    }
}
