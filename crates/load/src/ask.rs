//! One request by hand, so that a benchmark can set its stage.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::answer::Answer;
use crate::template::{RequestArguments, Template};

#[derive(Args)]
pub(crate) struct AskArguments {
    #[command(flatten)]
    request: RequestArguments,
}

/// Prints the body of the answer as it is; a refusal is an error.
pub(crate) fn run(arguments: &AskArguments) -> Result<()> {
    let mut template = Template::new(&arguments.request)?;
    let address = &template.address;
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("{address} cannot be reached"))?;
    stream.write_all(&template.request())?;
    let mut answer = Answer::default();
    let mut buffer = [0; 16 << 10];
    loop {
        let length = stream.read(&mut buffer)?;
        ensure!(length > 0, "the connection was closed before the answer");
        if let Some(answered) = answer.take(&buffer[..length], true)? {
            io::stdout().write_all(&answered.body)?;
            return Ok(());
        }
    }
}
