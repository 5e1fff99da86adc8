//! How much of its limits a call costs: so many units, or as many as the service's answer says.
//!
//! ```json
//! "cost": 5
//! "cost": { "header": "x-cost", "before": 2 }
//! ```

use std::sync::Arc;

use crate::head::is_token;
use crate::policy::headers::is_reserved;
use crate::settings::{FromNode, Node, Place, Problems, shape};

shape! {
    /// What a call costs that its service's answer says the cost of.
    pub struct ToldCostSettings {
        /// The header field of the answer that has the number of units; it does not go on to clients.
        "header" => header: String = "x-cost",
        /// How many units are taken before the call, and are the least that it costs. The rest is taken once the
        /// answer is there. Default 1.
        "before" => before: Option<u32> = 2,
    }
}

/// How much a call costs.
#[derive(Clone, Debug)]
pub enum CostSettings {
    /// So many units.
    Units(u32),
    /// What the answer says.
    Told(ToldCostSettings),
}

impl FromNode for CostSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => ToldCostSettings::from_node(node, place, problems).map(Self::Told),
            _ => u32::from_node(node, place, problems).map(Self::Units),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl crate::settings::schema::Described for CostSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (units, told) = (u32::schema(generator), ToldCostSettings::schema(generator));
        schemars::json_schema!({ "anyOf": [units, told] })
    }
}

/// How many units of its limits a call costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Taken before the call; at least 1.
    pub before: u32,
    /// The header field of a service's answer that says how many it was in all, its name in lower case.
    pub told_in: Option<Arc<str>>,
}

impl Default for Cost {
    fn default() -> Self {
        Self { before: 1, told_in: None }
    }
}

impl Cost {
    /// Compiles a cost; notes each fault.
    pub fn compile(settings: CostSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let mut at_least_one = |units: u32, place: &Place<'_>| {
            if units == 0 {
                problems.add(place, "is 0, must be at least 1");
            }
            units.max(1)
        };
        match settings {
            CostSettings::Units(units) => Some(Self { before: at_least_one(units, place), told_in: None }),
            CostSettings::Told(ToldCostSettings { header, before }) => {
                let before = before?.map_or(1, |units| at_least_one(units, &place.at("before")));
                let name = header?.to_ascii_lowercase();
                if !is_token(&name) || is_reserved(&name) {
                    problems.add(&place.at("header"), format!("is {name:?}, which no service can tell a cost in"));
                    return None;
                }
                Some(Self { before, told_in: Some(name.into()) })
            }
        }
    }
}

/// The units that a service says; those that no quota has are as good as more. `None` is no whole number.
pub fn told(value: &str) -> Option<u32> {
    let value = value.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| value.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_a_whole_number() {
        for (value, units) in [
            ("0", Some(0)),
            (" 12 ", Some(12)),
            ("0012", Some(12)),
            ("99999999999999999999999", Some(u32::MAX)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("3, 4", None),
            ("٣", None),
        ] {
            assert_eq!(told(value), units, "of {value:?}");
        }
    }
}
