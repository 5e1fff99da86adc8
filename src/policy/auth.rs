//! How callers prove who they are: one rule of the file.

use std::sync::Arc;

use crate::policy::api_key::ApiKeyRule;
use crate::policy::jwt::{JwtRule, TokenFrom};

/// A rule of the file.
#[derive(Clone, Debug)]
pub enum AuthRule {
    /// By a token.
    Jwt(Arc<JwtRule>),
    /// By a key that was given to them.
    ApiKey(Arc<ApiKeyRule>),
}

impl AuthRule {
    /// Where tokens and keys are that services are not to have.
    pub fn hidden(&self) -> Vec<&TokenFrom> {
        match self {
            Self::Jwt(rule) => rule.hidden().collect(),
            Self::ApiKey(rule) => rule.hidden().collect(),
        }
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Jwt(rule) => rule.name(),
            Self::ApiKey(rule) => &rule.name,
        }
    }
}
