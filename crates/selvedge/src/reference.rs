//! `selvedge reference`: the connection property reference as a document.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use anyhow::Context;
use selvedge_catalog::Catalog;
use selvedge_catalog::reference::Reference;
use selvedge_taps::Package;
use selvedge_web::reference::{json, markdown};

use crate::cli::{ReferenceArguments, ReferenceFormat};
use crate::serve::runs;

/// The reference of what this binary runs; `has_tap` tells which source types have a Singer tap.
pub(crate) fn connections(has_tap: &dyn Fn(&str) -> bool) -> Reference {
    Reference::new(Catalog::global(), |connection_type| {
        runs(connection_type.kind(), connection_type.name(), has_tap)
    })
}

pub(crate) fn run(arguments: &ReferenceArguments) -> anyhow::Result<ExitCode> {
    let reference = connections(&|name| Package::of_type(name).is_some());
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
