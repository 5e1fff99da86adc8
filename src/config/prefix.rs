//! What stands before the paths of a group's routes, and what a service gets in its place.

use crate::gateway::{Action, Forward, Replaced};
use crate::router::check_pattern;
use crate::settings::{Place, Problems};
use crate::template::Template;

/// What stands before the paths.
#[derive(Clone, Default)]
pub struct Prefix {
    /// Without a slash at its end.
    text: String,
    /// Whether there is one, be it "/".
    pub is_written: bool,
    /// How much of it a service does not get, and what it gets in its place.
    pub replaced: Option<Replacement>,
    /// Whether there is a fault in it, so that nothing is known of the paths.
    pub is_faulty: bool,
}

/// A piece of a prefix, by its length, and what stands for it.
#[derive(Clone)]
pub struct Replacement {
    length: usize,
    text: String,
    pub by: Template,
}

impl Prefix {
    /// Adds to the prefix.
    pub fn extend(&mut self, prefix: &str, place: &Place<'_>, problems: &mut Problems) {
        let bare = prefix.strip_suffix('/').unwrap_or(prefix);
        let fault = match check_pattern(if prefix == "/" { prefix } else { bare }) {
            Err(why) => Some(why),
            Ok(()) if bare.ends_with('/') => Some("has an empty segment at its end".to_owned()),
            Ok(()) if bare.contains("{*") => Some("has a rest; what is below a prefix is its routes'".to_owned()),
            Ok(()) => None,
        };
        self.text.push_str(bare);
        self.is_written = true;
        if let Some(why) = fault {
            problems.add(place, format!("is {prefix:?}, which {why}"));
            self.is_faulty = true;
        }
    }

    /// Says what a service gets in the place of the prefix so far.
    pub fn replace(&mut self, replacement: &str, place: &Place<'_>, problems: &mut Problems) {
        let bare = replacement.strip_suffix('/').unwrap_or(replacement);
        let template = match Template::parse(if replacement == "/" { "/" } else { bare }) {
            Ok(template) => template,
            Err(why) => return problems.add(place, format!("is {replacement:?}, which {why}")),
        };
        if template.has_query() {
            problems.add(place, "has a query; it stands for a piece of a path");
        } else if !self.is_written {
            problems.add(place, "replaces a prefix, and there is none");
        } else {
            self.replaced = Some(Replacement { length: self.text.len(), text: bare.to_owned(), by: template });
        }
    }

    /// The whole pattern of a path below it.
    pub fn before(&self, path: &str) -> String {
        match path {
            "/" if !self.text.is_empty() => self.text.clone(),
            // Refused as it stands.
            path if !path.starts_with('/') => path.to_owned(),
            path => format!("{}{path}", self.text),
        }
    }

    /// The prefix, and all below it.
    pub fn itself_and_below(&self) -> Vec<String> {
        let below = format!("{}/{{*rest}}", self.text);
        let itself = Some(self.text.clone()).filter(|text| !text.is_empty());
        itself.into_iter().chain([below]).collect()
    }

    /// What a service is asked for in the place of `pattern`, where that is not the same.
    pub fn replaced_in(&self, action: Action, pattern: &str) -> Action {
        let (Action::Forward(forward), Some(replacement)) = (&action, &self.replaced) else { return action };
        let below = pattern.get(replacement.length..).unwrap_or_default().replace("{*", "{");
        let text = format!("{}{below}", replacement.text);
        let template = Template::parse(if text.is_empty() { "/" } else { &text }).ok();
        let mut forward = Forward::clone(forward);
        let outside = self.text.get(..replacement.length).unwrap_or_default();
        let outside = Template::parse(if outside.is_empty() { "/" } else { outside }).ok();
        for destination in forward.destinations().filter(|destination| destination.path.is_none()) {
            destination.path.clone_from(&template);
            destination.replaced = outside.clone().map(|outside| Replaced { outside, inside: replacement.by.clone() });
        }
        Action::Forward(forward.into())
    }
}
