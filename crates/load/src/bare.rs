//! The bare handler: axum, one body, no thought.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse as _;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::net::TcpListener;

#[derive(Args)]
pub(crate) struct BareArguments {
    /// What to answer.
    #[arg(long)]
    body: PathBuf,
    /// Say that the body is compressed this way.
    #[arg(long)]
    encoding: Option<String>,
    /// The status of the answers.
    #[arg(long, default_value = "200")]
    status: StatusCode,
}

/// Prints `http://ADDRESS:PORT` and answers until it is told to end.
pub(crate) async fn run(arguments: BareArguments) -> Result<()> {
    let body = std::fs::read(&arguments.body)
        .with_context(|| format!("{} cannot be read", arguments.body.display()))?;
    let body = Bytes::from(body);
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    if let Some(encoding) = arguments.encoding {
        headers.insert(CONTENT_ENCODING, encoding.try_into()?);
    }
    // The request's body is read, as any handler with a use for it would.
    let answer = move |_: Bytes| {
        let answer = (arguments.status, headers.clone(), body.clone());
        async move { answer.into_response() }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // Only loopback is measured: a socket without the option answers all the same.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(answer);
    axum::serve(listener, router.layer(DefaultBodyLimit::disable())).await?;
    Ok(())
}
