//! Test support: throw-away databases and servers, a workload with an oracle, faults. A dev-dependency only.
//!
//! - [`postgres::TestDatabase`]: a fresh database on the server that `cargo xtask test` started;
//! - `mysql::TestSchema`, with the feature `mysql`: the same for its MariaDB server;
//! - [`server::ServerProcess`]: the real `selvedge` binary, to be called, killed and started again;
//! - [`workload::Workload`]: changes in a source from a seed, and the judgement of what arrived in a destination;
//! - [`described::Described`]: answers held against the OpenAPI document;
//! - [`contract::Contract`]: rows of an interface's contract, and which tests show them;
//! - [`sabotage`]: sources and destinations that lie or fail, which show that tests notice;
//! - [`nested`]: random loads of nested records against a model, for any destination with subtables;
//! - [`conformance`]: the cases that every destination has to pass alike;
//! - [`severed`]: loads whose connection is cut at every message, and loads whose process dies at every step;
//! - [`bulk`]: how fast a destination is, next to its own bulk load;
//! - [`memory`]: a source and a destination without a database.

pub mod bulk;
pub mod clock;
pub mod conformance;
pub mod contract;
pub mod described;
pub mod effort;
pub mod memory;
#[cfg(feature = "mysql")]
pub mod mysql;
pub mod nested;
pub mod postgres;
pub mod sabotage;
pub mod server;
pub mod severed;
pub mod wait;
pub mod workload;
