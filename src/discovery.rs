//! Where the instances of a service are found, if not in the file: a list in KV, under a key.
//!
//! The list has the form of a service's `url`. It is read again once it is older than the file says, by
//! one request while the others go on with the list that there is. While KV cannot be read, or what is
//! there is no list, the last good one is kept.

use std::time::Duration;

use crate::config;
use crate::gateway::Service;
use crate::platform::Platform;
use crate::visit::Visit;

/// How long KV may take where there is no list to go on with, and where there is one.
const KV_TIMEOUT: Duration = Duration::from_secs(2);
const KV_TIMEOUT_WITH_LIST: Duration = Duration::from_millis(200);

/// Where a list is, and how long it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The key in KV.
    pub key: String,
    /// The age at which it is read again.
    pub refresh: Duration,
}

impl Service {
    /// Sees to it that the list of instances is as new as the file says, as far as it can.
    pub(crate) async fn discover<P: Platform>(&self, visit: &Visit<'_, P>) {
        let Some(Discovery { key, refresh }) = &self.discovery else { return };
        let now = visit.platform.now();
        let longest = {
            let mut pool = self.pool();
            // Without any list there is nothing to go on with.
            if !pool.is_empty() && pool.asked.is_some_and(|asked| now.since(asked) < *refresh) {
                return;
            }
            pool.asked = Some(now);
            if pool.is_empty() { KV_TIMEOUT } else { KV_TIMEOUT_WITH_LIST }
        };
        let within = visit.time_left().min(longest);
        let why = match visit.platform.recall(key, within).await {
            Err(_) => "KV cannot be read".to_owned(),
            Ok(None) => format!("KV has nothing under {key}"),
            Ok(Some(text)) => match config::instances(&text) {
                Ok(instances) => return self.pool().replace(instances),
                Err(why) => format!("what KV has under {key} {why}"),
            },
        };
        visit.trace.note(format!("service {} keeps the instances that it has: {why}", self.name));
    }
}
