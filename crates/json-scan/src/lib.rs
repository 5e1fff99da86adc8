//! Goes over JSON texts byte by byte: whether a text is JSON, how much there is in it, and where the values in it begin
//! and end.
//!
//! It is a crate because that is what Cargo can optimise in another way: every byte of every answer that is put together
//! goes through here some times, so this is made for speed and the rest of the gateway for size.

mod check;
mod cursor;
mod spans;
mod string;

pub use check::Size;
pub use cursor::Cursor;
pub use spans::{Entered, Spans, Walk};
pub use string::string_end;
