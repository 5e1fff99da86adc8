//! Checking a value: everything that is wrong with it, for at most so much work.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::{Check, Id, Range, Schema, Side, Types, Value, Wrong};
use crate::settings::Place;

/// How much work checking one value may be: looks at values, some ten nanoseconds each.
const MOST_WORK: usize = 4_000_000;

/// How many schemas may be under way at once, one within the other: the stack of the Wasm has 1 MiB.
const MOST_WITHIN: u32 = 400;

/// What is said of a value that is too much work.
const TOO_MUCH: &str = "takes too much work to check: send less of it, or less deep";

impl Schema {
    /// Notes what is wrong with a value.
    pub fn check(&self, value: &Value<'_>, wrong: &mut Wrong) {
        let mut checking = Checking { schema: self, left: MOST_WORK, within: 0, is_spent: false, wrong };
        checking.holds(self.root, value, &Place::root(), Tell::All);
        if checking.is_spent {
            *wrong = Wrong::default();
            wrong.add(&Place::root(), TOO_MUCH);
        }
    }
}

/// Whether what is wrong is noted, or only whether something is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tell {
    All,
    Nothing,
}

struct Checking<'s, 'w> {
    schema: &'s Schema,
    /// How much work is left.
    left: usize,
    /// How many schemas are under way.
    within: u32,
    /// Whether there was too much work; then no answer counts.
    is_spent: bool,
    wrong: &'w mut Wrong,
}

impl<'s> Checking<'s, '_> {
    /// Takes so much of the work that is left; whether there was as much.
    fn spend(&mut self, work: usize) -> bool {
        match self.left.checked_sub(work) {
            Some(left) => self.left = left,
            None => self.is_spent = true,
        }
        !self.is_spent
    }

    fn fails(&mut self, place: &Place<'_>, tell: Tell, what: impl Into<String>) -> bool {
        if tell == Tell::All && !self.is_spent {
            self.wrong.add(place, what);
        }
        false
    }

    /// Whether a value is as a schema says.
    fn holds(&mut self, id: Id, value: &Value<'_>, place: &Place<'_>, tell: Tell) -> bool {
        if self.within == MOST_WITHIN {
            self.is_spent = true;
        }
        let schema: &'s Schema = self.schema;
        let checks = schema.nodes.get(id).map(Vec::as_slice).unwrap_or_default();
        self.within += 1;
        let mut holds = true;
        for check in checks {
            if !self.spend(1) {
                holds = false;
                break;
            }
            holds &= match self.of_itself(check, value) {
                Ok(()) => self.of_others(check, value, place, tell),
                Err(what) => {
                    self.fails(place, tell, what);
                    // What else there is of it would say the same in other words.
                    holds = false;
                    break;
                }
            };
            if !holds && (tell == Tell::Nothing || self.wrong.is_full()) {
                break;
            }
        }
        self.within -= 1;
        holds && !self.is_spent
    }

    /// What a check says of the value itself; the error completes "the value …".
    #[inline(never)] // Its variables would be on the stack once for each schema under way.
    fn of_itself(&mut self, check: &'s Check, value: &Value<'_>) -> Result<(), Cow<'s, str>> {
        let ok = |holds: bool, what: &dyn Fn() -> String| if holds { Ok(()) } else { Err(Cow::Owned(what())) };
        match (check, value) {
            (Check::Never, _) => Err("must not be here".into()),
            (Check::Type(types), _) => ok(types.has(self.types_of(value)), &|| format!("must be {}", types.said())),
            (Check::Among { canonical, types, said }, _) => {
                let is_one = types.meets(self.types_of(value)) && {
                    let text = value.canonical();
                    self.spend(text.len() / 4) && canonical.binary_search(&text).is_ok()
                };
                ok(is_one, &|| format!("must be {said}"))
            }
            (Check::Bound { bound, side, said }, Value::Number(written)) => {
                self.spend(written.len() / 4);
                let order = Decimal::of(written).cmp(bound);
                match side {
                    Side::AtLeast => ok(order.is_ge(), &|| format!("must be at least {said}")),
                    Side::Above => ok(order.is_gt(), &|| format!("must be more than {said}")),
                    Side::AtMost => ok(order.is_le(), &|| format!("must be at most {said}")),
                    Side::Below => ok(order.is_lt(), &|| format!("must be less than {said}")),
                }
            }
            (Check::MultipleOf { divisor, said }, Value::Number(written)) => {
                self.spend(written.len() / 4);
                ok(Decimal::of(written).is_multiple_of(divisor), &|| format!("must be a multiple of {said}"))
            }
            (Check::Length(range), Value::Text(text)) => {
                self.spend(text.len() / 64);
                range.of(text.chars().count(), "character")
            }
            (Check::Pattern(pattern), Value::Text(text)) => {
                let matches = self.spend(pattern.work(text)) && pattern.is_match(text);
                ok(matches, &|| format!("must match {}", pattern.as_str()))
            }
            (Check::Format(format), Value::Text(text)) => {
                self.spend(text.len() / 16);
                ok((format.holds)(text), &|| format!("must be of the format {}", format.name))
            }
            (Check::Elements(range), Value::Array(elements)) => range.of(elements.len(), "element"),
            (Check::Unique, Value::Array(elements)) => {
                ok(self.are_different(elements), &|| "must not have an element twice".to_owned())
            }
            (Check::Members(range), Value::Object(members)) => range.of(members.len(), "member"),
            _ => Ok(()),
        }
    }

    /// The types that a value is of. Whether a number is whole is seen by its last digit.
    fn types_of(&mut self, value: &Value<'_>) -> Types {
        if let Value::Number(written) = value {
            self.spend(written.len() / 4);
        }
        Types::of(value)
    }

    /// Whether no two values are equal.
    fn are_different(&mut self, values: &[Value<'_>]) -> bool {
        let mut texts: Vec<Vec<u8>> = values.iter().map(Value::canonical).collect();
        let size: usize = texts.iter().map(Vec::len).sum();
        // Sorting looks at each some twenty times.
        if !self.spend(size / 4 + 2 * texts.len()) {
            return false;
        }
        texts.sort_unstable();
        texts.iter().zip(texts.iter().skip(1)).all(|(one, next)| one != next)
    }

    /// What a check says by other schemas, or of what is in the value.
    fn of_others(&mut self, check: &'s Check, value: &Value<'_>, place: &Place<'_>, tell: Tell) -> bool {
        match (check, value) {
            (Check::Items { first, rest }, Value::Array(elements)) => self.items(first, *rest, elements, place, tell),
            (Check::Contains { what, range }, Value::Array(elements)) => {
                let mut count = 0;
                for (at, element) in elements.iter().enumerate() {
                    count += usize::from(self.holds(*what, element, &place.at(at), Tell::Nothing));
                }
                range.of(count, "such element").map_or_else(
                    |what| self.fails(place, tell, format!("contains another number of elements of one kind: {what}")),
                    |()| true,
                )
            }
            (Check::Required(names), Value::Object(_)) => self.required(names, "", value, place, tell),
            (Check::Needs(needs), Value::Object(_)) => {
                let mut holds = true;
                for (name, others) in needs.iter().filter(|(name, _)| value.member(name).is_some()) {
                    holds &= self.required(others, &format!(", which goes with {name:?}"), value, place, tell);
                }
                holds
            }
            (Check::Names(names), Value::Object(members)) => {
                let mut holds = true;
                for (key, _) in members {
                    let name = Value::Text(Cow::Borrowed(key));
                    if !self.holds(*names, &name, place, Tell::Nothing) {
                        holds = self.fails(&place.at(&**key), tell, "has a name that no member may have");
                    }
                }
                holds
            }
            (Check::Properties { .. }, Value::Object(members)) => self.properties(check, members, place, tell),
            (Check::Same(id), _) => self.holds(*id, value, place, tell),
            (Check::All(ids), _) => {
                let mut holds = true;
                for id in ids {
                    holds &= self.holds(*id, value, place, tell);
                }
                holds
            }
            (Check::Any(ids), _) => {
                let holds = ids.iter().any(|id| self.holds(*id, value, place, Tell::Nothing));
                holds || self.fails(place, tell, "is of none of the forms that it can have")
            }
            (Check::One(ids), _) => {
                match ids.iter().filter(|id| self.holds(**id, value, place, Tell::Nothing)).take(2).count() {
                    0 => self.fails(place, tell, "is of none of the forms that it can have"),
                    1 => true,
                    _ => self.fails(place, tell, "is of several forms, of which it must have one alone"),
                }
            }
            (Check::Not(id), _) => {
                !self.holds(*id, value, place, Tell::Nothing) || self.fails(place, tell, "is what it must not be")
            }
            (Check::If { condition, then, otherwise }, _) => {
                let next = if self.holds(*condition, value, place, Tell::Nothing) { then } else { otherwise };
                next.is_none_or(|id| self.holds(id, value, place, tell))
            }
            _ => true,
        }
    }

    fn items(&mut self, first: &[Id], rest: Option<Id>, elements: &[Value<'_>], place: &Place<'_>, tell: Tell) -> bool {
        let mut holds = true;
        let ids = first.iter().copied().map(Some).chain(std::iter::repeat(rest));
        for ((at, element), id) in elements.iter().enumerate().zip(ids) {
            let Some(id) = id else { break };
            holds &= self.holds(id, element, &place.at(at), tell);
            if self.is_spent || (!holds && (tell == Tell::Nothing || self.wrong.is_full())) {
                return false;
            }
        }
        holds
    }

    fn required(&mut self, names: &[String], why: &str, value: &Value<'_>, place: &Place<'_>, tell: Tell) -> bool {
        let mut holds = self.spend(names.len());
        for name in names {
            if value.member(name).is_none() {
                holds = self.fails(place, tell, format!("lacks {name:?}{why}"));
            }
        }
        holds
    }

    fn properties(
        &mut self,
        check: &Check,
        members: &[(Cow<'_, str>, Value<'_>)],
        place: &Place<'_>,
        tell: Tell,
    ) -> bool {
        let Check::Properties { named, patterns, others } = check else { return true };
        let mut holds = true;
        for (key, value) in members {
            let place = place.at(&**key);
            let mut is_known = false;
            if let Ok(at) = named.binary_search_by(|(name, _)| (**name).cmp(key)) {
                is_known = true;
                holds &= named.get(at).is_none_or(|(_, id)| self.holds(*id, value, &place, tell));
            }
            for (pattern, id) in patterns {
                if self.spend(pattern.work(key) + 1) && pattern.is_match(key) {
                    is_known = true;
                    holds &= self.holds(*id, value, &place, tell);
                }
            }
            if let (false, Some(id)) = (is_known, others) {
                let is_never = matches!(self.schema.nodes.get(*id).map(Vec::as_slice), Some([Check::Never]));
                holds &= match is_never {
                    true => self.fails(&place, tell, "is not known here"),
                    false => self.holds(*id, value, &place, tell),
                };
            }
            if !self.spend(1) || (!holds && (tell == Tell::Nothing || self.wrong.is_full())) {
                return false;
            }
        }
        holds
    }
}

impl Range {
    /// Whether there may be so many; the error completes "the value …".
    fn of<'e>(self, count: usize, what: &str) -> Result<(), Cow<'e, str>> {
        let words = |bound: u32| if bound == 1 { format!("1 {what}") } else { format!("{bound} {what}s") };
        if count < self.least as usize {
            return Err(format!("must have at least {}", words(self.least)).into());
        }
        if count > self.most as usize {
            return Err(format!("must have at most {}", words(self.most)).into());
        }
        Ok(())
    }
}
