//! An answer as the value of a part: what counts as one, what its body is, and what is taken of it.

use std::rc::Rc;

use super::calls::Answered;
use super::failure::Failure;
use super::plan::Reading;
use super::value::Value;
use super::words::{Empty, Format};
use crate::json::tree::Json;
use crate::json::{self, Grouped, Unusable};
use crate::shaping::Shaping;
use crate::shaping::mask::Source;
use crate::{query, xml};

impl Reading {
    /// The value of an answer.
    pub fn value(&self, answer: &Rc<Answered>) -> Result<Value, Failure> {
        let (status, text) = (answer.status, answer.text());
        if self.null_on.contains(&status) {
            return Ok("null".to_owned().into());
        }
        if !self.success.iter().any(|statuses| statuses.include(status)) {
            return Err(Failure::Status(status));
        }
        if text.is_empty() {
            return match self.empty {
                Empty::Null => Ok("null".to_owned().into()),
                Empty::Failure => Err(Failure::Empty),
            };
        }
        if let (Format::Json, Ok(text), Some(first)) = (self.format, &answer.body, self.shaping.first())
            && first.begins_everywhere()
        {
            let spans = json::spans_of(text, self.bounds).map_err(Failure::Unusable)?;
            return self.shaped(Source::Scanned(&spans));
        }
        let value = match (self.format, &answer.body) {
            (Format::Xml, Err(_)) => return Err(Failure::Unusable(Unusable::NotXml)),
            (Format::Xml, Ok(text)) => xml::to_json(text, self.bounds).map_err(Failure::Unusable)?.into(),
            (Format::Json, Err(_)) => return Err(Failure::Unusable(Unusable::NotJson)),
            (Format::Json, Ok(text)) => {
                Value::of(answer, json::value_of(text, self.bounds).map_err(Failure::Unusable)?)
            }
            (Format::Text, _) => json::string(text).into(),
            (Format::Form, _) => {
                let form = form(text);
                json::value_of(&form, self.bounds).map_err(Failure::Unusable)?;
                form.into()
            }
        };
        if self.shaping.is_empty() {
            return Ok(value);
        }
        self.shaped(Json::Raw(value.text()).into())
    }

    fn shaped(&self, value: Source<'_>) -> Result<Value, Failure> {
        let shaped = Shaping::apply_all(&self.shaping, value).map_err(|_| Failure::NotShaped)?;
        // What is put together of JSON texts is text.
        Ok(String::from_utf8(shaped.to_text()).unwrap_or_default().into())
    }
}

/// Names and values as a JSON object; several values of one name as an array.
fn form(text: &str) -> String {
    let mut members = Grouped::default();
    for (name, value) in query::parameters(text.trim()) {
        members.add(query::decoded(name), json::string(&query::decoded(value)));
    }
    let members = members.iter().map(|(name, values)| match values {
        [one] => format!("{}:{one}", json::string(name)),
        several => format!("{}:[{}]", json::string(name), several.join(",")),
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_an_object_by_its_names() {
        assert_eq!(form("a=1&b=x+y&%61=%22&c\n"), r#"{"a":["1","\""],"b":"x y","c":""}"#);
    }

    #[test]
    fn many_names_of_a_form_cost_no_more_than_their_bytes() {
        let many: Vec<String> = (0..150_000).map(|number| format!("n{number}")).collect();
        assert!(form(&many.join("&")).ends_with(r#","n149999":""}"#));
    }
}
