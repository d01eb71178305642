//! What is asked for, as the bytes that go over the wire.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Args;
use http::{Method, Uri};

/// Stands for a number of its own in each request's body.
const NUMBER: &str = "{number}";

/// What to ask for.
#[derive(Args)]
pub(crate) struct RequestArguments {
    #[arg(long)]
    url: Uri,
    #[arg(long, default_value = "GET")]
    method: Method,
    /// File with an access token.
    #[arg(long)]
    token: Option<PathBuf>,
    #[arg(long)]
    accept_encoding: Option<String>,
    /// Body of each request; `{number}` is replaced by a number of its own.
    #[arg(long)]
    body: Option<String>,
    /// File with the body of each request.
    #[arg(long, conflicts_with = "body")]
    body_file: Option<PathBuf>,
    /// The first such number.
    #[arg(long, default_value_t = 1)]
    first_number: u64,
}

/// What each request is made from.
pub(crate) struct Template {
    /// Host and port.
    pub(crate) address: String,
    /// Of the next request whose body has one.
    pub(crate) next_number: u64,
    request: Form,
}

enum Form {
    /// Every request is this.
    Same(Bytes),
    /// The head without the length of the body, and the body without its number.
    Numbered { head: String, body: String },
}

impl Template {
    pub(crate) fn new(arguments: &RequestArguments) -> Result<Self> {
        let authority = arguments.url.authority().context("the URL has no host")?;
        let path = arguments.url.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let mut head = format!(
            "{} {path} HTTP/1.1\r\nhost: {authority}\r\n",
            arguments.method
        );
        if let Some(path) = &arguments.token {
            let token = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            head += &format!("authorization: Bearer {}\r\n", token.trim());
        }
        if let Some(encoding) = &arguments.accept_encoding {
            head += &format!("accept-encoding: {encoding}\r\n");
        }
        let request = match (&arguments.body, &arguments.body_file) {
            (None, None) => Form::Same((head + "\r\n").into()),
            (Some(body), _) if body.contains(NUMBER) => Form::Numbered {
                head,
                body: body.clone(),
            },
            (Some(body), _) => Form::Same(with_body(&head, body.as_bytes())),
            (None, Some(path)) => {
                let body = std::fs::read(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                Form::Same(with_body(&head, &body))
            }
        };
        Ok(Self {
            address: authority.as_str().to_owned(),
            next_number: arguments.first_number,
            request,
        })
    }

    /// The next request, whole.
    pub(crate) fn request(&mut self) -> Bytes {
        match &self.request {
            Form::Same(request) => request.clone(),
            Form::Numbered { head, body } => {
                let body = body.replace(NUMBER, &self.next_number.to_string());
                self.next_number += 1;
                with_body(head, body.as_bytes())
            }
        }
    }
}

fn with_body(head: &str, body: &[u8]) -> Bytes {
    let length = body.len();
    let mut request =
        format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n")
            .into_bytes();
    request.extend_from_slice(body);
    request.into()
}
