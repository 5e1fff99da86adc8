//! The value of a part, as JSON text. What is taken as it came is the service's own bytes, which are copied
//! once: into the answer.

use std::ops::Range;
use std::rc::Rc;

use super::calls::Answered;

/// The value of a part.
#[derive(Clone, Debug)]
pub enum Value {
    /// A piece of what a service answered.
    AsItCame(Rc<Answered>, Range<usize>),
    /// Made here.
    Made(String),
}

impl Value {
    /// The value without the white space around it, of an answer that is JSON as a whole.
    pub fn of(answer: &Rc<Answered>, text: &str) -> Self {
        let begin = answer.text().len() - answer.text().trim_ascii_start().len();
        Self::AsItCame(Rc::clone(answer), begin..begin + text.len())
    }

    /// As text.
    pub fn text(&self) -> &str {
        match self {
            // The range was made of the same text.
            Self::AsItCame(answer, range) => answer.text().get(range.clone()).unwrap_or_default(),
            Self::Made(text) => text,
        }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Made(text)
    }
}
