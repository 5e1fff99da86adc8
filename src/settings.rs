//! How settings are read: the file as a tree, its places and problems, the shapes that are declared
//! of it, and the small values that stand in it. Knows nothing of what the settings are for.

mod node;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod position;
mod problem;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod schema;
mod shape;
mod value;

pub use node::Node;
pub use problem::{OwnedPlace, Place, Problem, Problems, Severity};
pub use shape::{FromNode, List, Named, OneOrMany, OrNone, Shape};
pub(crate) use shape::{described_as, member, one_of, read_kept, read_shape, shape, written_as_word, wrong_kind};
pub use value::{BodySize, Method, SecretName, Size, Span, TimeLimit};
pub use value::{Text, read_text};
pub(crate) use value::{not_of_form, written_as_text};
