//! Where calls go: the addresses of services, the targets that name them, and where clients are sent.

use crate::service_url::ServiceUrl;
use crate::settings::{Text, not_of_form, written_as_text};
use crate::template::Template;

written_as_text!(ServiceUrl, Target, RedirectTarget);

impl Text for ServiceUrl {
    const FORM: &'static str = "an address such as \"https://orders.internal:8080/base\"";
    const PATTERN: &'static str = r"^https?://([a-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[^?#]*)?$";
    // It may have credentials in it, which have no business there or in a log.
    const SECRET: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| {
            format!(
                "must be {}: http or https, a host in lower case, maybe a port and a base path, and nothing else",
                Self::FORM
            )
        })
    }
}

/// Where a call goes: `"orders"` (the path as the client sent it) or `"orders:/v2/orders/{id}"`.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name of the service.
    pub service: String,
    /// The path and query there, if the target names them.
    pub template: Option<Template>,
}

impl Text for Target {
    const FORM: &'static str = "\"service\" or \"service:/path\"";
    const PATTERN: &'static str = "^[^:/]+(:/([^/].*)?)?$";

    fn read(text: &str) -> Result<Self, String> {
        let (service, template) = match text.split_once(':') {
            None => (text, None),
            Some((_, path)) if path.starts_with("//") => {
                return Err("must name a service; its address goes under \"services\"".to_owned());
            }
            Some((service, path)) => {
                let template = Template::parse(path).map_err(|why| format!("whose path {why}"))?;
                (service, Some(template))
            }
        };
        if service.is_empty() || service.contains('/') {
            return Err(not_of_form::<Self>());
        }
        Ok(Self { service: service.to_owned(), template })
    }
}

/// Where a client is sent: `"/v2/{rest}"`, `"https://shop.example.com/{rest}"`.
#[derive(Clone, Debug)]
pub struct RedirectTarget {
    /// Scheme, host and port; `None` keeps the client's.
    pub origin: Option<String>,
    /// The path and maybe a query there.
    pub template: Template,
}

impl Text for RedirectTarget {
    const FORM: &'static str = "a path such as \"/v2/{rest}\" or a URL such as \"https://shop.example.com/{rest}\"";
    const PATTERN: &'static str = "^(https?://[^/?#{}]+)?([/?].*)?$";

    fn read(text: &str) -> Result<Self, String> {
        // A path may have a value whose name is an address, such as a claim's.
        let (origin, path) = match text.split_once("://").filter(|_| !text.starts_with(['/', '?'])) {
            None => (None, text),
            Some((scheme, rest)) => {
                let path = rest.find(['/', '?']).map_or(text.len(), |at| scheme.len() + "://".len() + at);
                let (origin, path) = text.split_at(path);
                let Some(url) = ServiceUrl::parse(origin) else { return Err(not_of_form::<Self>()) };
                (Some(url.origin().to_owned()), path)
            }
        };
        let path = if path.is_empty() || path.starts_with('?') { &format!("/{path}") } else { path };
        let template = Template::parse(path).map_err(|why| format!("whose path {why}"))?;
        Ok(Self { origin, template })
    }
}
