//! A SQLite file as a destination (`sqlite`), the one that needs no service.
//!
//! One file holds all schemas of an account: the table of stream `orders` in schema `shop` is `shop__orders`. Loading
//! follows PostgreSQL's rules. What SQLite has no type for is kept as canonical text, so that nothing is rounded, and the
//! declared type says what the text is ([`types`]).
//!
//! The way of a table:
//!
//! - **first load**: straight into the table, visible as it comes. The key's unique index `<table>_pkey` is built at the
//!   end; until then the commit mark says `loading`.
//! - **merge**: one upsert per row into the table, or an insert where there is no key.
//! - **replacement**: into `<schema>___sdc_next_<stream>`, which takes the table's place in one transaction. Readers see
//!   the old rows or the new ones.
//!
//! Items of arrays go into subtables, `shop__orders__items`, in the transaction of their records and by the same ways
//! ([`subtables`]). Whose a table is stands in `_sdc_selvedge_tables`, since names alone do not tell ([`ownership`]).
//!
//! One write transaction goes from the first row after a commit to the next commit. Other writers of the same file wait
//! for it; readers do not, the file is in write-ahead mode. A commit is on the disk when it returns
//! (`synchronous = full`).

mod ascending;
mod changes;
mod check;
mod connect;
mod destination;
mod error;
mod insert;
mod keys;
mod load;
mod marks;
mod opening;
mod ownership;
mod rejected;
mod render;
mod replace;
mod structure;
mod subtables;
mod superseded;
mod types;
mod values;
mod winners;
mod writer;

pub use destination::SqliteDestination;
