//! What a client asks for: `?fields=user.name,orders.id`.
//!
//! It is a list of names as `pick` takes paths, without `*` and JSON Pointers. What is not there is not
//! given; so it can never show more than there is without it.

use super::mask::Mask;
use crate::json::path::{MOST_STEPS, Name, Path, Step};
use crate::json::tree::Json;

/// The most names that a client may ask for.
const MOST_NAMES: usize = 100;
/// The most bytes of them.
const MOST_BYTES: usize = 2_000;

/// The fields that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(Mask);

impl Fields {
    /// Reads a list of dotted names, percent-decoded; the error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > MOST_BYTES || text.split(',').count() > MOST_NAMES {
            return Err("asks for too many fields");
        }
        if text.split([',', '.']).any(str::is_empty) {
            return Err("has an empty name");
        }
        if text.split(',').any(|name| name.split('.').count() > MOST_STEPS) {
            return Err("asks for a field that is too deep");
        }
        let step = |name| Step::Name(Name::from(name));
        let paths: Vec<Path> =
            text.split(',').map(|path| path.split('.').map(step).collect::<Vec<_>>().into()).collect();
        Ok(Self(paths.iter().collect()))
    }

    /// Whether anything of a part is asked for.
    pub fn wants(&self, part_name: &str) -> bool {
        self.within(part_name).is_some()
    }

    /// What is asked for of a part.
    pub fn within(&self, part_name: &str) -> Option<&Mask> {
        self.0.below(part_name)
    }

    /// The value with nothing but these fields.
    pub fn pick<'t>(&self, value: Json<'t>) -> Json<'t> {
        self.0.pick(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_asks_for_and_is_there() {
        let value = r#"{"user":{"name":"n","mail":"m"},"orders":[{"id":1.0,"sum":2},{"id":3}],"*":4}"#;
        for (fields, expected) in [
            ("user.name,orders.id", r#"{"user":{"name":"n"},"orders":[{"id":1.0},{"id":3}]}"#),
            ("orders.id,orders.sum", r#"{"orders":[{"id":1.0,"sum":2},{"id":3}]}"#),
            ("user,user.name", r#"{"user":{"name":"n","mail":"m"}}"#),
            ("orders.0.id", r#"{"orders":[{"id":1.0}]}"#),
            ("none,user.none", r#"{"user":{}}"#),
            ("*", r#"{"*":4}"#),
        ] {
            let picked = Fields::read(fields).unwrap().pick(Json::Raw(value));
            assert_eq!(String::from_utf8(picked.to_text()).unwrap(), expected, "of {fields}");
        }
    }

    #[test]
    fn a_part_is_wanted_when_something_of_it_is() {
        let fields = Fields::read("user.name,orders").unwrap();
        assert!(fields.wants("user") && fields.wants("orders") && !fields.wants("name"));
        let user = fields.within("user").unwrap().pick(Json::Raw(r#"{"name":1,"mail":2}"#).into());
        assert_eq!(user.to_text(), br#"{"name":1}"#);
        let orders = fields.within("orders").unwrap().pick(Json::Raw("[ 1 ]").into());
        assert_eq!(orders, Json::Raw("[ 1 ]"));
    }

    #[test]
    fn a_faulty_list_is_refused() {
        for fields in
            ["", ",", "a,", "a..b", ".a", "a.", &["a"; 101].join(","), &["a"; 33].join("."), &"a".repeat(2_001)]
        {
            assert!(Fields::read(fields).is_err(), "of {fields}");
        }
        assert!(Fields::read(&["a"; 100].join(",")).is_ok());
    }
}
