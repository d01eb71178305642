//! The load: a fixed number of kept-alive connections, each with one request under way at any time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
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
    /// How long is measured.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long is asked before that.
    #[arg(long, default_value_t = 1.0)]
    warm_up_seconds: f64,
}

/// What each request is made from.
struct Template {
    /// Host and port.
    address: String,
    parts: http::request::Parts,
    body: Option<String>,
    next_number: AtomicU64,
}

/// What one connection saw while it counted.
#[derive(Default)]
struct Seen {
    latencies: Latencies,
    body_bytes: u64,
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
    let seconds = |seconds: f64| {
        Duration::try_from_secs_f64(seconds).context("a time span is a positive number of seconds")
    };
    let from = Instant::now() + seconds(arguments.warm_up_seconds)?;
    let until = from + seconds(arguments.seconds)?;
    let mut connections = JoinSet::new();
    for _ in 0..arguments.connections {
        let template = Arc::clone(&template);
        connections.spawn(async move {
            let connection = connect(&template.address).await?;
            keep_asking(connection, &template, from, until).await
        });
    }
    let mut all = Seen::default();
    while let Some(seen) = connections.join_next().await {
        let seen = seen.context("a connection's task ended")??;
        all.latencies.merge(seen.latencies);
        all.body_bytes += seen.body_bytes;
    }
    let latencies = all.latencies.sort();
    ensure!(latencies.len() > 0, "nothing was answered in time");
    let answered = latencies.len() as f64;
    let result = json!({
        "requests": latencies.len(),
        "requests_per_second": answered / arguments.seconds,
        // With the warm-up: what the answering process was busy for.
        "busy_seconds": arguments.warm_up_seconds + arguments.seconds,
        "p50_micros": latencies.percentile(500),
        "p99_micros": latencies.percentile(990),
        "max_micros": latencies.percentile(1000),
        "body_bytes": all.body_bytes as f64 / answered,
        "next_number": template.next_number.load(Ordering::Relaxed),
    });
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
        if arguments.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let (parts, ()) = request.body(())?.into_parts();
        Ok(Self {
            address: authority.as_str().to_owned(),
            parts,
            body: arguments.body.clone(),
            next_number: AtomicU64::new(arguments.first_number),
        })
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let body = match &self.body {
            None => Bytes::new(),
            Some(body) if body.contains(NUMBER) => {
                let number = self.next_number.fetch_add(1, Ordering::Relaxed);
                body.replace(NUMBER, &number.to_string()).into()
            }
            Some(body) => body.clone().into(),
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
    from: Instant,
    until: Instant,
) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        let asked = Instant::now();
        let body = ask(&mut connection, template).await?;
        let answered = Instant::now();
        if answered > until {
            return Ok(seen);
        }
        if answered > from {
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
