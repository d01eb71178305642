//! One request by hand, so that a benchmark can set its stage.

use anyhow::Result;
use clap::Args;

use crate::generate::RequestArguments;

#[derive(Args)]
pub(crate) struct AskArguments {
    #[command(flatten)]
    request: RequestArguments,
}

/// Prints the body of the answer as it is; a refusal is an error.
pub(crate) async fn run(arguments: AskArguments) -> Result<()> {
    use std::io::Write as _;
    let body = arguments.request.ask_once().await?;
    std::io::stdout().write_all(&body)?;
    Ok(())
}
