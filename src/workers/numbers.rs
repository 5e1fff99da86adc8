//! Floating point numbers as text. A gateway's JSON has its own way to write them; the standard library's is there for the sake
//! of serde, which may have to say in a message which number it did not expect, and takes a fiftieth of the Wasm. So
//! `scripts/build.mjs` has that do what is done here.
#![allow(unsafe_code)] // the export's name is not checked for being the only one

use std::fmt::{Display, Formatter, Result};

use serde_json::Number;

/// Writes a number as JSON does, whatever the formatter says of width and precision.
#[unsafe(export_name = "write_f64")]
fn write_f64(number: &f64, formatter: &mut Formatter<'_>) -> Result {
    match Number::from_f64(*number) {
        Some(number) => number.fmt(formatter),
        None => formatter.write_str("no finite number"),
    }
}
