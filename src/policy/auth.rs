//! How callers prove who they are: one rule of the file.

use std::sync::Arc;

use crate::policy::api_key::ApiKeyRule;
use crate::policy::credential::Carriers;
use crate::policy::introspection::IntrospectionRule;
use crate::policy::jwt::JwtRule;
use crate::policy::scheme::Scheme;

/// A rule of the file.
#[derive(Clone, Debug)]
pub enum AuthRule {
    /// By a token.
    Jwt(Arc<JwtRule>),
    /// By a key that was given to them.
    ApiKey(Arc<ApiKeyRule>),
    /// By a token that its issuer is asked about.
    Introspection(Arc<IntrospectionRule>),
}

impl AuthRule {
    /// Where its credential is.
    pub fn carriers(&self) -> &Carriers {
        match self {
            Self::Jwt(rule) => &rule.carriers,
            Self::ApiKey(rule) => &rule.carriers,
            Self::Introspection(rule) => &rule.carriers,
        }
    }

    /// How clients are asked for its credential.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Jwt(_) | Self::Introspection(_) => Scheme::Bearer,
            Self::ApiKey(rule) => rule.scheme(),
        }
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Jwt(rule) => rule.name(),
            Self::ApiKey(rule) => &rule.name,
            Self::Introspection(rule) => rule.name(),
        }
    }
}
