//! The load: a fixed number of kept-alive connections, each with one request under way at any time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::latencies::Latencies;
use crate::span::{Span, SpanArguments};

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

#[derive(Args)]
pub(crate) struct GenerateArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// Requests under way at the same time.
    #[arg(long, default_value_t = 50)]
    connections: usize,
    #[command(flatten)]
    span: SpanArguments,
}

/// What each request is made from.
struct Template {
    /// Host and port.
    address: String,
    parts: http::request::Parts,
    body: Body,
    next_number: AtomicU64,
}

enum Body {
    Same(Bytes),
    /// With a number of its own each time.
    Numbered(String),
}

/// What one connection saw while it counted.
#[derive(Default)]
struct Seen {
    latencies: Latencies,
    body_bytes: u64,
    /// Also before and after that.
    all_requests: u64,
}

impl RequestArguments {
    pub(crate) async fn ask_once(&self) -> Result<Bytes> {
        let template = Template::new(self)?;
        let mut connection = connect(&template.address).await?;
        ask(&mut connection, &template).await
    }
}

pub(crate) async fn run(arguments: GenerateArguments) -> Result<()> {
    let template = Arc::new(Template::new(&arguments.request)?);
    let span = arguments.span.begin()?;
    let mut connections = JoinSet::new();
    for _ in 0..arguments.connections {
        let template = Arc::clone(&template);
        connections.spawn(async move {
            let connection = connect(&template.address).await?;
            keep_asking(connection, &template, span).await
        });
    }
    let mut all = Seen::default();
    while let Some(seen) = connections.join_next().await {
        let seen = seen.context("a connection's task ended")??;
        all.latencies.merge(seen.latencies);
        all.body_bytes += seen.body_bytes;
        all.all_requests += seen.all_requests;
    }
    let mut result = arguments.span.summary(all.latencies)?;
    let answered = result["requests"].as_f64().context("a number")?;
    result["body_bytes"] = json!(all.body_bytes as f64 / answered);
    // With the warm-up, and what ended too late: all that the answering process was busy for.
    result["all_requests"] = json!(all.all_requests);
    result["next_number"] = json!(template.next_number.load(Ordering::Relaxed));
    println!("{result}");
    Ok(())
}

impl Template {
    fn new(arguments: &RequestArguments) -> Result<Self> {
        let authority = arguments.url.authority().context("the URL has no host")?;
        let path = arguments.url.path_and_query();
        let mut request = Request::builder()
            .method(arguments.method.clone())
            .uri(path.map_or("/", |path| path.as_str()))
            .header(HOST, authority.as_str());
        if let Some(path) = &arguments.token {
            let token = std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        if let Some(encoding) = &arguments.accept_encoding {
            request = request.header(ACCEPT_ENCODING, encoding);
        }
        let body = match (&arguments.body, &arguments.body_file) {
            (None, None) => None,
            (Some(body), _) if body.contains(NUMBER) => Some(Body::Numbered(body.clone())),
            (Some(body), _) => Some(Body::Same(body.clone().into())),
            (None, Some(path)) => {
                let body = std::fs::read(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                Some(Body::Same(body.into()))
            }
        };
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let (parts, ()) = request.body(())?.into_parts();
        Ok(Self {
            address: authority.as_str().to_owned(),
            parts,
            body: body.unwrap_or(Body::Same(Bytes::new())),
            next_number: AtomicU64::new(arguments.first_number),
        })
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let body = match &self.body {
            Body::Same(body) => body.clone(),
            Body::Numbered(body) => {
                let number = self.next_number.fetch_add(1, Ordering::Relaxed);
                body.replace(NUMBER, &number.to_string()).into()
            }
        };
        Request::from_parts(self.parts.clone(), Full::new(body))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("{address} cannot be reached"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with its sender; what goes wrong with it is what `send_request` answers.
    tokio::spawn(connection);
    Ok(sender)
}

/// Asks until the time is over, and counts what is answered after the warm-up. Any refusal ends the measurement.
async fn keep_asking(
    mut connection: SendRequest<Full<Bytes>>,
    template: &Template,
    span: Span,
) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        let asked = Instant::now();
        let body = ask(&mut connection, template).await?;
        let answered = Instant::now();
        seen.all_requests += 1;
        if answered > span.until {
            return Ok(seen);
        }
        if answered > span.from {
            seen.latencies.add(answered - asked);
            seen.body_bytes += body.len() as u64;
        }
    }
}

async fn ask(connection: &mut SendRequest<Full<Bytes>>, template: &Template) -> Result<Bytes> {
    connection.ready().await?;
    let response = connection.send_request(template.request()).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body)
}
