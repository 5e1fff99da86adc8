//! A breaker as the operator writes it.
//!
//! ```json
//! "breaker": { "failures": "50%", "of_at_least": 10, "window": "10s", "open_for": "5s" }
//! ```

use std::time::Duration;

use super::BreakerRule;
use crate::resilience::bounds::within;
use crate::resilience::outcomes::DEFAULT_WINDOW;
use crate::resilience::percent::Percent;
use crate::settings::{Place, Problems, TimeLimit, shape};

shape! {
    /// A breaker as written; `{}` is one with every default.
    pub struct BreakerSettings {
        /// The share of failed calls at which an instance gets no more; from `1%` to `100%`,
        /// default `50%`.
        "failures" => failures: Option<Percent> = "50%",
        /// The calls within the window without which an instance is not judged, in each isolate of
        /// the runtime; as many failures in a row are too many, whatever the share; from 1 to 1000,
        /// default 10.
        "of_at_least" => of_at_least: Option<u32> = 20,
        /// How far back calls count; from `1s` to `10m`, default `10s`.
        "window" => window: Option<TimeLimit> = "30s",
        /// How long the instance gets no calls before one is tried; doubles each time that one
        /// fails, up to eightfold; from `100ms` to `10m`, default `5s`.
        "open_for" => open_for: Option<TimeLimit> = "10s",
    }
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self {
            failures: Percent::new(50),
            // Half of what Hystrix asked for: an isolate sees a part of the traffic.
            of_at_least: 10,
            window: DEFAULT_WINDOW,
            // Hystrix's. Short, for what lasts is answered by doubling.
            open_for: Duration::from_secs(5),
        }
    }
}

impl BreakerRule {
    /// Compiles a breaker; notes each fault.
    pub fn compile(settings: BreakerSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let default = Self::default();
        let ten_minutes = Duration::from_secs(600);

        let of_at_least = settings.of_at_least.and_then(|calls| {
            within(calls.unwrap_or(default.of_at_least), 1..=1_000, &place.at("of_at_least"), problems)
        });
        let window = settings.window.and_then(|window| {
            let window = window.map_or(default.window, |window| window.0);
            within(window, Duration::from_secs(1)..=ten_minutes, &place.at("window"), problems)
        });
        let open_for = settings.open_for.and_then(|span| {
            let span = span.map_or(default.open_for, |span| span.0);
            within(span, Duration::from_millis(100)..=ten_minutes, &place.at("open_for"), problems)
        });
        Some(Self {
            failures: settings.failures?.unwrap_or(default.failures),
            of_at_least: of_at_least?,
            window: window?,
            open_for: open_for?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resilience::tests::compiled;

    #[test]
    fn what_is_left_out_has_a_default_and_every_fault_is_said() {
        let read = |text| compiled(text, BreakerRule::compile);
        assert_eq!(read("{}"), Ok(BreakerRule::default()));
        let written = r#"{"failures": "25%", "of_at_least": 40, "window": "1m", "open_for": "500ms"}"#;
        let rule = BreakerRule {
            failures: Percent::new(25),
            of_at_least: 40,
            window: Duration::from_secs(60),
            open_for: Duration::from_millis(500),
        };
        assert_eq!(read(written), Ok(rule));
        let faulty = r#"{"failures": "0%", "of_at_least": 0, "window": "500ms", "open_for": "11m"}"#;
        let faults = [
            "/failures: is \"0%\", must be a share from \"1%\" to \"100%\"",
            "/of_at_least: is 0, must be from 1 to 1000",
            "/window: is 500ms, must be from 1s to 10m",
            "/open_for: is 11m, must be from 100ms to 10m",
        ];
        assert_eq!(read(faulty), Err(faults.map(str::to_owned).to_vec()));
    }
}
