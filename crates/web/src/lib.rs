//! What people see: pages rendered on the server, working without JavaScript, loading nothing from elsewhere.
//!
//! One module per page. Its template extends `templates/layout.html`, which draws header, navigation and footer from a
//! [`Shell`]; its answer is a [`Document`], rendered once and kept as bytes. [`router`] is the list of pages; the binary
//! puts it beside the API's, behind the same layers.

mod assets;
mod authorization;
mod docs;
mod document;
mod landing;
pub mod reference;
mod router;
mod shell;

pub use authorization::authorization;
pub use docs::DescriptionError;
pub(crate) use document::{Document, Policy};
pub use router::router;
pub(crate) use shell::Shell;
pub use shell::Site;
