//! Rates and quotas of single callers, which KV has beside those of the file:
//!
//! | key | value |
//! | --- | --- |
//! | `postern/limits/LIMIT/KEY` | what a plan would have: `{ "rate": "600/min", "burst": 20 }` |
//!
//! `KEY` is what calls are counted by, each piece percent-encoded, a `/` between them: of a caller who is known
//! `sub/ISSUER/SUBJECT`, so that nobody has another's by having the same subject of another issuer.

use std::time::Duration;

use crate::head::UnixMillis;
use crate::path::push_encoded_value;
use crate::policy::rate_limit::{Measure, PlanSettings};
use crate::policy::recalled::{Known, Recalled};
use crate::settings::{Place, read_kept};

/// How long what KV has is remembered where the file does not say.
pub const DEFAULT_REFRESH: Duration = Duration::from_secs(30);

/// How long KV is not asked again after it could not be read.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest key that KV has, in bytes.
const LONGEST_KEY: usize = 512;

/// What KV has of single callers, for one limit.
#[derive(Debug)]
pub struct Overrides {
    refresh: Duration,
    recalled: Recalled<String, Measure>,
}

impl Overrides {
    /// What KV says is remembered for so long.
    pub fn new(refresh: Duration) -> Self {
        Self { refresh, recalled: Recalled::default() }
    }

    /// What is known, without asking KV, of what it has under a key.
    pub fn known(&self, key: &String, now: UnixMillis) -> Known<Measure> {
        self.recalled.known(key, now)
    }

    /// Remembers what KV has under a key, in the place of what the file says. Of what cannot be in its place, or not
    /// pay for a call, the error is for the log.
    pub fn learned(
        &self,
        key: String,
        kept: Option<&str>,
        (said, units): (Measure, u32),
        now: UnixMillis,
    ) -> Result<Option<Measure>, String> {
        let read = |kept| match read_kept(kept, |plan: PlanSettings, problems| plan.compile(&Place::root(), problems))?
        {
            own if !own.is_of_a_kind_with(said) => Err("does not count as the limit does".to_owned()),
            own if own.most() < units => Err(format!("has fewer than the {units} units that a call costs")),
            own => Ok(own),
        };
        let own = kept.map(read).transpose();
        self.recalled.learned(key, own.as_ref().ok().copied().flatten(), now.after(self.refresh), now);
        own
    }

    /// KV could not be read: what it said before counts on.
    pub fn asked_in_vain(&self, key: String, before: Option<Measure>, now: UnixMillis) {
        self.recalled.learned(key, before, now.after(self.refresh.min(PAUSE)), now);
    }
}

/// Under which key KV has what holds for those alone who count by a key of the limit's; `None` where that would be
/// longer than its keys.
pub fn kept_under(key: &str) -> Option<String> {
    let mut kept_under = "postern/limits".to_owned();
    push_pieces(&mut kept_under, key);
    (kept_under.len() <= LONGEST_KEY).then_some(kept_under)
}

/// Appends the pieces of a key of a limit's, a `/` before each.
pub fn push_pieces(out: &mut String, key: &str) {
    for piece in key.split('\n') {
        out.push('/');
        push_encoded_value(out, piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;

    #[test]
    fn a_key_is_of_one_caller() {
        for (key, kept) in [
            ("l\nsub\nhttps://id/\nada", "postern/limits/l/sub/https%3A%2F%2Fid%2F/ada"),
            ("l\nsub\nhttps://id\n/ada", "postern/limits/l/sub/https%3A%2F%2Fid/%2Fada"),
            ("l\naddress\n2001:db8::/64", "postern/limits/l/address/2001%3Adb8%3A%3A%2F64"),
            ("l\nheader\n", "postern/limits/l/header/"),
            ("l\norg\ni\n%2F\\n\nroute\n/routes/0", "postern/limits/l/org/i/%252F%5Cn/route/%2Froutes%2F0"),
        ] {
            assert_eq!(kept_under(key).as_deref(), Some(kept));
        }
        assert_eq!(kept_under(&format!("l\nsub\ni\n{}", "a".repeat(500))), None);
    }

    #[test]
    fn what_is_no_quota_is_as_if_it_were_not_there() {
        let overrides = Overrides::new(DEFAULT_REFRESH);
        let quota = Measure::OverTime(Quota::Rate { interval: 1_000_000, burst: 2 });
        let learn = |kept: &str, units| overrides.learned("k".into(), Some(kept), (quota, units), UnixMillis(0));
        assert_eq!(learn(r#"{"rate":"60/min","burst":2}"#, 2), Ok(Some(quota)));
        for (kept, units, why) in [
            ("600/min", 1, "is not JSON"),
            ("{}", 1, "is at fault: must have exactly one of \"rate\", \"quota\" and \"concurrent\""),
            (r#"{"concurrent":5}"#, 1, "does not count as the limit does"),
            (r#"{"rate":"60/min","lease":2}"#, 1, "is at fault: /lease: is not known here"),
            (r#"{"rate":"60/min","burst":2}"#, 3, "has fewer than the 3 units that a call costs"),
        ] {
            let said = learn(kept, units).unwrap_err();
            assert!(said.starts_with(why), "{said}");
            assert_eq!(overrides.known(&"k".into(), UnixMillis(1)), Known::Remembered(None));
        }
    }
}
