//! What other people push: bodies of the Import API and of incoming webhooks.
//!
//! Pure: bytes in, either an [`Intake`] or a [`Refusal`] with the documented answer out. No clock, no sockets, no storage.
//! Nothing is copied that can stay where it is: the records of an accepted body remain the text that came.

mod batch;
mod conformance;
mod instant;
mod kind;
mod message;
mod part;
mod push;
mod record;
mod refusal;
mod schema;
mod transit;
mod webhook;

pub use batch::batch;
pub use conformance::{NotTaken, RecordSchema};
pub use message::{Message, MessageError, Messages};
pub use part::{Intake, Part, PartHeader, Typing};
pub use push::{MAX_RECORDS, push, push_transit};
pub use refusal::Refusal;
pub use selvedge_json::utf8;
pub use webhook::{WebhookKind, webhook};
