//! `selvedge reference`: the connection property reference as a document.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context;
use selvedge_catalog::Catalog;
use selvedge_catalog::reference::Reference;
use selvedge_web::reference::{json, markdown};

use crate::cli::{ReferenceArguments, ReferenceFormat};
use crate::serve::runs;

/// The reference of what this binary runs.
pub(crate) fn connections() -> Reference {
    Reference::new(Catalog::global(), |connection_type| {
        runs(connection_type.kind(), connection_type.name())
    })
}

pub(crate) fn run(arguments: &ReferenceArguments) -> anyhow::Result<ExitCode> {
    let reference = connections();
    let text = match arguments.format {
        ReferenceFormat::Markdown => {
            markdown(arguments.public_url.trim_end_matches('/'), &reference)
        }
        ReferenceFormat::Json => json(&reference) + "\n",
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        printed => printed.context("the reference could not be printed")?,
    }
    Ok(ExitCode::SUCCESS)
}
