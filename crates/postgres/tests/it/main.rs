//! Sessions and binary formats against a real server.

mod numeric;
mod session;
mod support;
mod tls;
