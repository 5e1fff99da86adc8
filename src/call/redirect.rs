//! Where a service sends a call, within itself.

use super::{Answered, Wanted};
use crate::gateway::Service;
use crate::path::NormalPath;
use crate::resilience::retry::Body;
use crate::service_url::ServiceUrl;

/// The path and query to which an answer sends, if it stays at the service and is to be followed. It
/// never leads to another host, nor out of the base path: those come from the file alone.
pub fn elsewhere(answer: &impl Answered, service: &Service, url: &ServiceUrl, wanted: Wanted<'_>) -> Option<String> {
    let is_redirect = matches!(answer.status(), 301 | 302 | 303 | 307 | 308);
    let may_follow = matches!(wanted.method, "GET" | "HEAD") && wanted.body == Body::None;
    if !service.follow_redirects || !is_redirect || !may_follow {
        return None;
    }
    let target = url.resolve(answer.header("location")?, wanted.target)?;
    let target = target.split('#').next()?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = NormalPath::parse(path).ok()?;
    let below = match path.as_str().strip_prefix(url.base_path())? {
        "" => "/",
        below if below.starts_with('/') => below,
        _ => return None,
    };
    let target = format!("{below}{}", query.map(|query| format!("?{query}")).unwrap_or_default());
    (target != wanted.target).then_some(target)
}
