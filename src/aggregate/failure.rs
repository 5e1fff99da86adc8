//! Why a part has no value, and what that makes of the whole.

use std::fmt;

use serde::Serialize;

use super::plan::StatusTable;
use crate::json::Unusable;
use crate::platform::CallError;
use crate::refusal::Refusal;

/// Why a part has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call gave no answer.
    Call(CallError),
    /// The service answered with a status that is a failure.
    Status(u16),
    /// What it answered cannot be taken.
    Unusable(Unusable),
    /// It answered with nothing, where that is a failure.
    Empty,
    /// What is taken of the answer is not in it, or it cannot be shaped so.
    NotShaped,
    /// What it asks for, of another part or of the client's body, is not there.
    Missing,
    /// A value of another part, or of the client's body, cannot stand in its path.
    UnusableValue,
    /// With the values that it asks for, its URL or its header fields are longer than services take.
    CallTooLong,
    /// What it is made for each element of is no array.
    NoArray,
    /// The array has more elements than allowed.
    TooManyElements,
    /// The whole would be larger than allowed.
    WholeTooLarge,
}

impl Failure {
    /// Whether no stand-in helps: there is nobody to give it to.
    pub fn is_final(self) -> bool {
        self == Self::Call(CallError::ClientGone)
    }

    /// The word by which clients are told; nothing of the inside.
    fn kind(self) -> &'static str {
        match self {
            Self::Call(CallError::TimedOut) => "timeout",
            Self::Call(CallError::NoInstance | CallError::NotAdmitted) => "unavailable",
            Self::Call(CallError::TooManyCalls) => "too-many-calls",
            Self::Status(_) => "status",
            Self::Call(CallError::TooLarge) | Self::CallTooLong | Self::WholeTooLarge => "too-large",
            Self::Unusable(Unusable::TooDeep) => "too-deep",
            Self::Unusable(Unusable::TooMany) | Self::TooManyElements => "too-many",
            Self::Unusable(Unusable::NotJson | Unusable::NotXml) | Self::Empty | Self::NotShaped | Self::NoArray => {
                "malformed"
            }
            Self::Missing | Self::UnusableValue => "missing-value",
            Self::Call(_) => "unreachable",
        }
    }

    /// How clients are told of it.
    pub fn told(self, part: &str) -> PartError {
        let status = if let Self::Status(status) = self { Some(status) } else { None };
        PartError { part: part.to_owned(), kind: self.kind(), status }
    }

    /// How the whole is turned down when a required part fails so.
    pub fn refusal(self, table: &StatusTable) -> Refusal {
        let of_failure = match self {
            Self::Call(error) => Refusal::from(error),
            _ => Refusal::BadGateway,
        };
        let status = match self {
            Self::Status(status) => {
                let row = table.required.iter().find(|(statuses, _)| statuses.include(status));
                row.map(|(_, of_whole)| of_whole.status(status)).or(table.failed)
            }
            Self::Call(CallError::TimedOut) => Some(table.timeout),
            Self::Call(CallError::ClientGone) => None,
            _ => table.failed,
        };
        match status {
            Some(status) if status != of_failure.status() => Refusal::Composed { status, errors: Vec::new() },
            _ => of_failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Call(error) => return error.fmt(formatter),
            Self::Status(status) => return write!(formatter, "answered with status {status}"),
            Self::Unusable(Unusable::NotJson) => "answered with what is not JSON",
            Self::Unusable(Unusable::NotXml) => "answered with what is not XML",
            Self::Unusable(Unusable::TooDeep) => "answered with what is nested too deep",
            Self::Unusable(Unusable::TooMany) => "answered with too many elements",
            Self::Empty => "answered with nothing",
            Self::NotShaped => "answered without what is taken of it",
            Self::Missing => "not called, a value that it asks for is not there",
            Self::UnusableValue => "not called, a value cannot stand in its path",
            Self::CallTooLong => "not called, its URL or header fields would be too long",
            Self::NoArray => "not called, it is for each element of what is no array",
            Self::TooManyElements => "not called, there are too many elements",
            Self::WholeTooLarge => "would make the answer too large",
        })
    }
}

/// How clients are told of a part that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartError {
    part: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}
