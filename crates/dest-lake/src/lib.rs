//! Files as a destination: a directory of this server (`local_files`), or a bucket that speaks S3 (`s3`, `storagegrid`).
//!
//! Rows are only ever added. A load, which is what comes between two checkpoints of a stream, becomes one object for the
//! table, in CSV one more for each of its arrays, and one for records that were rejected:
//!
//! ```text
//! shop/contacts/0_1700000012345.csv            the records
//! shop/contacts/personas/0_1700000012345.csv   the items of their array "personas"
//! shop/_sdc_rejected/0_1700000012345.jsonl     records that did not get in
//! shop/_sdc_selvedge_commits/100001_contacts.json   what the stream committed last
//! ```
//!
//! No object is ever overwritten or removed, but for the last, which is the crate's own.
//!
//! # What is guaranteed
//!
//! - **Whole objects.** An object is visible completely or not at all, and durable before the load counts: files are
//!   written through to the disk under another name and then linked, uploads become objects with their last step.
//! - **No loss, and no row twice after a crash.** A load is announced in the commit mark before its first object and counts
//!   from the moment its last object is there, which is the table's own; the next run looks whether it is
//!   (`mark.rs`). Cut short before that, the load has left nothing of the table, but perhaps objects of subtables or
//!   rejections: their rows come again with other sequences, and the left ones belong to no row of the table, so that the
//!   documented join by source key **and** `_sdc_sequence` does not see them. Rejections may repeat.
//! - **Full tables at once.** The rows of a full-table pass are collected on this server's disk and become objects when
//!   the pass is complete; an interrupted one leaves nothing. That takes as much disk as the table has.
//! - **A late loser.** A run whose lease was taken over is refused at its next commit. If it is cut off from the server in the
//!   very moment between its last look at the mark and its last object, that object may still appear beside the same
//!   rows of its successor: a bucket has no transaction to prevent it.
//!
//! # What is not
//!
//! An object of more than 8 MiB is uploaded in parts, and that its key is free is asked before, not with the upload: the
//! protocol's condition is for whole objects. Keys have milliseconds in them and one run writes a table, so two uploads
//! would have to be made for it. The parts of an upload that was cut short are invisible, but paid for: a lifecycle rule
//! for incomplete uploads belongs on the bucket.
//!
//! Every connection to a bucket is made by [`selvedge_net::Dialer`], so the operator's networks hold for the endpoints that
//! tenants name, at every request and not only at the first.

mod cells;
mod csv;
mod destination;
mod file;
mod json_lines;
mod key_template;
mod layout;
mod load;
mod local;
mod mark;
mod parquet;
mod rejected;
mod rows;
mod s3;
mod spool;
mod store;
mod writer;

pub use destination::LakeDestination;
