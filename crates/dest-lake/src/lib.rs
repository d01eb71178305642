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
//! # What a format expresses
//!
//! Every record becomes a row, whatever its key: those without one, older ones and equals too. Readers choose the row of a key
//! with the greatest `_sdc_sequence`, and of a full table the rows with the greatest `_sdc_table_version`. Beyond that:
//!
//! | | JSON Lines | CSV | Parquet |
//! | --- | --- | --- | --- |
//! | objects | kept, as they were written | columns `object__member` | text of JSON |
//! | arrays | kept, as they were written | an object for the items of each, told apart by source key, levels and sequence | text of JSON |
//! | values of several types in a field | kept | one column of texts | within an object a column for each type: the first has the field's name, others its suffix |
//! | instants | the source's text | `2031-02-03T04:05:06.789000Z` | microseconds in UTC |
//! | NULL | `null`, or no member | nothing between delimiters; an empty text is `""` | NULL |
//!
//! An object has the columns of its own records, in the order in which they came. The tests hold all three against the cases that
//! every destination has to pass (`tests/it/conformance.rs`).
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
