//! What becomes of a reply, made up before it comes.

use std::borrow::Cow;

use super::{Request, STOOD_IN_FOR};
use crate::gateway::{Action, Service};
use crate::head::Headers;
use crate::platform::{AtOnce, Platform};
use crate::policy::headers::{self, HeaderEdits};
use crate::policy::public_names;

impl<P: Platform> Request<'_, '_, P> {
    /// What changes in the header fields of a reply, whichever service it is of.
    pub(super) fn edit_reply(&self, headers: &Headers, edits: &mut HeaderEdits) {
        if self.is_hidden_from_caches() {
            headers::keep_from_shared_caches(headers, edits);
        }
        self.route.response_headers.apply(self.values, headers, edits);
    }

    /// Whether it is for one caller, and no cache sees that in the request.
    fn is_hidden_from_caches(&self) -> bool {
        self.values.caller.is_some() && !self.visit.caches_know_caller
    }

    /// How the reply gets to the client without coming by here: with the changes that one without fields would have, unless
    /// it has fields on which they hang, or a status with which another may come in its place.
    pub(super) fn at_once(&self, service: &Service) -> Option<AtOnce> {
        let Action::Forward(forward) = &self.route.action else { return None };
        // Of two calls beside each other, one counts. To find a mirror may take time, which a request that is answered has not.
        let is_alone = service.hedge.is_none() && forward.mirror.is_none();
        if !is_alone || self.visit.is_within || self.is_first || self.route.cost.told_in.is_some() {
            return None;
        }
        let mut edits = HeaderEdits::default();
        self.edit_reply(&Headers::default(), &mut edits);
        edits.then(self.visit.answer_edits.clone());
        let caches = self.is_hidden_from_caches().then_some(headers::DECIDES_ON_CACHES);
        let mut looked_at = Cow::Borrowed(public_names::LOOKED_AT);
        for name in caches.into_iter().chain(self.route.response_headers.looked_at()) {
            looked_at.to_mut().extend([",", name]);
        }
        let stood_in_for = forward.fallback.iter().flat_map(|_| STOOD_IN_FOR);
        let repeated = service.retry.iter().flat_map(|rule| rule.on.iter().copied());
        for status in stood_in_for.chain(repeated) {
            looked_at.to_mut().extend([",", &status.to_string()]);
        }
        Some(AtOnce { edits, looked_at })
    }
}
