//! The real `selvedge` binary as a child process: started on a free port, killed, started again on the same data.

mod client;
mod process;

pub use client::{Answer, ApiClient};
pub use process::{ServerProcess, ServerSettings};
