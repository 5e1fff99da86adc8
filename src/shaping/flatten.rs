//! One level less: members that take the place of their object, elements that take the place of
//! their array.

use crate::json::Numbers;
use crate::json::path::{Name, Path, Step};
use crate::json::places::{change, leads_to};
use crate::json::tree::{Json, Key};

/// Takes away one level at a path. The members of an object there take its place among those of its
/// parent, of which the ones that have the same name win; arrays in an array there are replaced by
/// their elements.
pub fn flatten(path: &Path, value: &mut Json<'_>) {
    match path.steps().split_last() {
        None => join_arrays(value),
        Some((last, parents)) => change(parents, value, &mut |parent| flatten_in(last, parent)),
    }
}

fn flatten_in(step: &Step, parent: &mut Json<'_>) {
    parent.open();
    match (parent, step) {
        (Json::Raw(_), _) => {}
        (Json::Object(members), _) => flatten_members(step, members),
        (Json::Array(elements), Step::Name(Name { index: Some(index), .. })) => {
            elements.get_mut(*index).into_iter().for_each(join_arrays);
        }
        (Json::Array(elements), Step::Every) => elements.iter_mut().for_each(join_arrays),
        (Json::Array(elements), Step::Name(_)) => {
            elements.iter_mut().for_each(|element| flatten_in(step, element));
        }
    }
}

fn flatten_members<'t>(step: &Step, members: &mut Vec<(Key<'t>, Json<'t>)>) {
    let goes = |key: Key<'_>, value: &Json<'_>| value.is_object() && leads_to(step, key);
    let mut names = Numbers::default();
    for (key, value) in members.iter() {
        if !goes(*key, value) {
            names.of(key.name());
        }
    }
    for (key, mut value) in std::mem::take(members) {
        if !goes(key, &value) {
            if leads_to(step, key) {
                join_arrays(&mut value);
            }
            members.push((key, value));
        } else if let Json::Object(mut inner) = value.opened() {
            inner.retain(|(key, _)| names.find(&key.name()).is_none());
            inner.iter().for_each(|(key, _)| _ = names.of(key.name()));
            members.append(&mut inner);
        }
    }
}

fn join_arrays(value: &mut Json<'_>) {
    if !value.is_array() {
        return;
    }
    value.open();
    if let Json::Array(elements) = value
        && elements.iter().any(Json::is_array)
    {
        for element in std::mem::take(elements) {
            match element.is_array() {
                true => elements.append(&mut element.into_elements()),
                false => elements.push(element),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shaping::tests::assert_shaped;

    #[test]
    fn a_level_is_taken_away() {
        assert_shaped(&[
            (r#"{"flatten": ["a"]}"#, r#"{"x":1,"a":{"y": 2,"x":3},"z":4}"#, r#"{"x":1,"y":2,"z":4}"#),
            (r#"{"flatten": ["a"]}"#, r#"{"a":{"a":1,"b":2}}"#, r#"{"a":1,"b":2}"#),
            (r#"{"flatten": ["i.a"]}"#, r#"{"i":[{"a":{"b":1}},{"a":2}]}"#, r#"{"i":[{"b":1},{"a":2}]}"#),
            (r#"{"flatten": ["*"]}"#, r#"{"a":{"x":1},"b":{"x":2,"y":3},"c":4}"#, r#"{"x":1,"y":3,"c":4}"#),
            (r#"{"flatten": ["a"]}"#, r#"{"a":[[1, 2],3,[[4]],[]]}"#, r#"{"a":[1,2,3,[4]]}"#),
            (r#"{"flatten": [""]}"#, "[[1],2]", "[1,2]"),
            (r#"{"flatten": [""]}"#, r#"{"a":{"b": 1}}"#, r#"{"a":{"b": 1}}"#),
            (r#"{"flatten": ["0", "a"]}"#, "[[[1]],[[2]]]", "[[1],[[2]]]"),
            (r#"{"flatten": ["a.b", "a"]}"#, r#"{"a":{"b":{"c":1}}}"#, r#"{"c":1}"#),
            (r#"{"flatten": ["a"]}"#, "7", "7"),
        ]);
    }
}
