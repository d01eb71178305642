//! JSON text, read from front to back without building anything: what checks records when they come in and what turns them
//! into columns read the same grammar and mean the same by a number, a decimal and an instant.

mod escape;
pub mod literal;
mod scan;
mod sixteen;
mod skip;
mod swar;
mod utf8;
mod word;

pub use escape::{BadString, check, unescape};
pub use scan::{MAX_DEPTH, Malformed, Number, RawString, Scalar, Scanner, Sink, TOO_DEEP, Usual};
pub use skip::{array_length, object_length};
pub use utf8::utf8;
pub use word::Word;
