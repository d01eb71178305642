//! The real binary, driven as its users drive it.

mod command_line;
mod one_off;
