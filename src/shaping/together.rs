//! Paths that lead to one place together: what they have in common is gone once, through arrays into
//! each element, and the rest of each leads on from there. So `items.price.amount` and `items.total`
//! meet within each item.

use crate::json::path::{Name, Path, Step};
use crate::json::places::change;
use crate::json::tree::Json;

/// What paths have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    common: Vec<Step>,
    /// Whether an array there is gone through: every path leads on to a member of some name.
    is_by_element: bool,
}

impl Together {
    /// What these have in common, which is cut off them.
    pub fn cut(paths: &mut [&mut Path]) -> Self {
        let first = paths.first().map(|path| path.steps().to_vec()).unwrap_or_default();
        let is_common = |(at, step): &(usize, Step)| paths.iter().all(|path| path.steps().get(*at) == Some(step));
        let common: Vec<Step> = first.into_iter().enumerate().take_while(is_common).map(|(_, step)| step).collect();
        for path in &mut *paths {
            **path = path.steps().iter().skip(common.len()).cloned().collect::<Vec<_>>().into();
        }
        let is_by_name = |path: &&mut Path| matches!(path.steps(), [Step::Name(Name { index: None, .. }), ..]);
        Self { common, is_by_element: paths.iter().all(is_by_name) }
    }

    /// Does something at each place where they part.
    pub fn each<'t>(&self, value: &mut Json<'t>, act: &mut dyn FnMut(&mut Json<'t>)) {
        change(&self.common, value, &mut |value| self.each_element(value, act));
    }

    fn each_element<'t>(&self, value: &mut Json<'t>, act: &mut dyn FnMut(&mut Json<'t>)) {
        if !self.is_by_element || !value.is_array() {
            return act(value);
        }
        value.open();
        if let Json::Array(elements) = value {
            elements.iter_mut().for_each(|element| self.each_element(element, act));
        }
    }
}
