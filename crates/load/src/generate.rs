//! The load: a fixed number of kept-alive connections, each with one request under way at any time.
//!
//! One thread asks on all of them, and does no more than it must: what it takes of the processors is missing to the server, which
//! is to be measured.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::{Buf as _, Bytes};
use clap::Args;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;

use crate::answer::Answer;
use crate::latencies::Latencies;
use crate::span::{Span, SpanArguments};
use crate::template::{RequestArguments, Template};

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

/// Bytes that are read at a time.
const READ_LENGTH: usize = 256 << 10;

/// What came back while it counted.
#[derive(Default)]
struct Seen {
    latencies: Latencies,
    body_bytes: u64,
    /// Also before and after that.
    all_requests: u64,
}

struct Connection {
    stream: TcpStream,
    /// When the request was begun.
    asked: Instant,
    /// What of it is not sent yet.
    request: Bytes,
    answer: Answer,
}

pub(crate) fn run(arguments: &GenerateArguments) -> Result<()> {
    let mut template = Template::new(&arguments.request)?;
    let address = template
        .address
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next());
    let address = address.with_context(|| format!("{} is no address", template.address))?;
    let span = arguments.span.begin()?;
    let seen = keep_asking(address, arguments.connections, &mut template, span)?;
    let mut result = arguments.span.summary(seen.latencies)?;
    let answered = result["requests"].as_f64().context("a number")?;
    result["body_bytes"] = json!(seen.body_bytes as f64 / answered);
    // With the warm-up, and what ended too late: all that the answering process was busy for.
    result["all_requests"] = json!(seen.all_requests);
    result["next_number"] = json!(template.next_number);
    println!("{result}");
    Ok(())
}

/// Asks until the time is over, and counts what is answered after the warm-up. Any refusal ends the measurement.
fn keep_asking(
    address: SocketAddr,
    connections: usize,
    template: &mut Template,
    span: Span,
) -> Result<Seen> {
    let mut poll = Poll::new()?;
    let mut connections = (0..connections)
        .map(|index| Connection::open(address, Token(index), &poll, template))
        .collect::<Result<Vec<_>>>()?;
    let mut open = connections.len();
    let mut events = Events::with_capacity(connections.len());
    let mut buffer = vec![0; READ_LENGTH];
    let mut seen = Seen::default();
    while open > 0 {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            let Some(body_length) = connection.go_on(event, &mut buffer)? else {
                continue;
            };
            let answered = Instant::now();
            seen.all_requests += 1;
            if answered > span.until {
                open -= 1;
                continue;
            }
            if answered > span.from {
                seen.latencies.add(answered - connection.asked);
                seen.body_bytes += body_length as u64;
            }
            connection.ask(template.request(), answered)?;
        }
    }
    Ok(seen)
}

impl Connection {
    /// Connects and asks for the first time.
    fn open(
        address: SocketAddr,
        token: Token,
        poll: &Poll,
        template: &mut Template,
    ) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)
            .with_context(|| format!("{address} cannot be reached"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let mut connection = Self {
            stream,
            asked: Instant::now(),
            request: Bytes::new(),
            answer: Answer::default(),
        };
        connection.ask(template.request(), Instant::now())?;
        Ok(connection)
    }

    fn ask(&mut self, request: Bytes, now: Instant) -> Result<()> {
        self.asked = now;
        self.request = request;
        self.send()
    }

    /// Sends what the system takes now.
    fn send(&mut self) -> Result<()> {
        while !self.request.is_empty() {
            match self.stream.write(&self.request) {
                Ok(length) => self.request.advance(length),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Does what the connection is ready for. Returns the length of the answer's body once it is whole.
    fn go_on(&mut self, event: &Event, buffer: &mut [u8]) -> Result<Option<usize>> {
        if event.is_writable() {
            self.send()?;
        }
        if !event.is_readable() {
            return Ok(None);
        }
        loop {
            let length = match self.stream.read(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            ensure!(length > 0, "a connection was closed before the answer");
            // What comes later is told by an event of its own, so a whole answer ends the reading.
            if let Some(answered) = self.answer.take(&buffer[..length], false)? {
                return Ok(Some(answered.body_length));
            }
        }
    }
}
