//! A wire to a database server that is cut at a message of one's choice.
//!
//! It takes the client's bytes apart into the protocol's messages and counts those that the server acts upon. At the chosen
//! one the client's side is closed, before the message is handed on or after; then the server is heard out until it has ended
//! the session by itself, so that whoever comes next finds it at rest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// Whose messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Postgres,
    Mysql,
}

/// On which side of its message the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The message never reaches the server.
    Before,
    /// The server acts upon the message, and its answer never comes back.
    After,
}

/// Where the wire is cut: at message `message` of all sessions together, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub message: u64,
    pub side: Side,
}

/// A wire from a port of this machine to a server.
pub struct Wire {
    port: u16,
    carried: Arc<Carried>,
    hang_up: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

struct Carried {
    protocol: Protocol,
    cut: Cut,
    messages: AtomicU64,
    was_cut: AtomicBool,
}

impl Wire {
    /// Lays it. It carries any number of sessions until it is cut, and none after that.
    pub async fn lay(server: (String, u16), protocol: Protocol, cut: Cut) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let carried = Arc::new(Carried {
            protocol,
            cut,
            messages: AtomicU64::new(0),
            was_cut: AtomicBool::new(false),
        });
        let (hang_up, mut hung_up) = oneshot::channel();
        let own = Arc::clone(&carried);
        let accepting = tokio::spawn(async move {
            let mut sessions = JoinSet::new();
            loop {
                let client = tokio::select! {
                    _ = &mut hung_up => break,
                    accepted = listener.accept() => accepted,
                };
                let Ok((client, _)) = client else { continue };
                if own.was_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let (server, carried) = (server.clone(), Arc::clone(&own));
                sessions.spawn(async move { carried.carry(client, server).await });
            }
            while sessions.join_next().await.is_some() {}
        });
        Ok(Self {
            port,
            carried,
            hang_up,
            accepting,
        })
    }

    /// Where clients find it, on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the server has ended all sessions. Whether the wire was cut: not if there were fewer messages.
    ///
    /// # Panics
    /// When a session went wrong otherwise than by the cut.
    pub async fn take_down(self) -> bool {
        drop(self.hang_up);
        self.accepting.await.expect("the wire was laid well");
        self.carried.was_cut.load(Ordering::SeqCst)
    }
}

impl Carried {
    async fn carry(&self, mut client: TcpStream, server: (String, u16)) -> io::Result<()> {
        let mut server = TcpStream::connect(server).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let (mut up, mut down) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        let mut framing = Framing::new(self.protocol);
        'session: loop {
            tokio::select! {
                read = client.read_buf(&mut up) => {
                    if read? == 0 {
                        break 'session;
                    }
                    while let Some(message) = framing.next(&mut up) {
                        let number = match message.acts {
                            true => self.messages.fetch_add(1, Ordering::SeqCst) + 1,
                            false => 0,
                        };
                        if number != self.cut.message {
                            server.write_all(&message.bytes).await?;
                            continue;
                        }
                        self.was_cut.store(true, Ordering::SeqCst);
                        drop(client);
                        if self.cut.side == Side::After {
                            server.write_all(&message.bytes).await?;
                        }
                        return hear_out(server).await;
                    }
                }
                read = server.read_buf(&mut down) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    client.write_all(&down).await?;
                    down.clear();
                }
            }
        }
        hear_out(server).await
    }
}

/// Says no more, and listens to the end.
async fn hear_out(mut server: TcpStream) -> io::Result<()> {
    server.shutdown().await?;
    tokio::io::copy(&mut server, &mut tokio::io::sink())
        .await
        .map(drop)
}

struct Message {
    bytes: Vec<u8>,
    /// Whether the server does something before it has seen the next one.
    acts: bool,
}

/// Finds the messages in what a client sends.
struct Framing {
    protocol: Protocol,
    /// PostgreSQL: the start-up message, which has no type, has passed.
    started: bool,
}

impl Framing {
    fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            started: false,
        }
    }

    /// Takes the first message, once it is there as a whole.
    fn next(&mut self, sent: &mut Vec<u8>) -> Option<Message> {
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let (length, acts, starts) = match self.protocol {
            Protocol::Mysql => {
                let head = sent.get(..4)?;
                let length: Vec<u8> = head[..3].iter().rev().copied().collect();
                (4 + number(&length), true, false)
            }
            Protocol::Postgres if !self.started => {
                // Version 3 of the protocol; all else are questions that come before.
                let starts = sent.get(4..6)? == [0, 3];
                (number(sent.get(..4)?), true, starts)
            }
            Protocol::Postgres => {
                let length = number(sent.get(1..5)?);
                // Simple query, sync, end of COPY, goodbye. Whatever comes before a sync counts when that comes.
                let acts = matches!(sent[0], b'Q' | b'S' | b'c' | b'X');
                (1 + length, acts, false)
            }
        };
        if sent.len() < length {
            return None;
        }
        self.started |= starts;
        let rest = sent.split_off(length);
        Some(Message {
            bytes: std::mem::replace(sent, rest),
            acts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acting(protocol: Protocol, sent: &[u8]) -> Vec<bool> {
        let mut framing = Framing::new(protocol);
        let mut waiting = Vec::new();
        let mut found = Vec::new();
        // Byte by byte: no message may be seen before it is complete.
        for byte in sent {
            waiting.push(*byte);
            found.extend(framing.next(&mut waiting).map(|message| message.acts));
        }
        assert!(waiting.is_empty());
        found
    }

    #[test]
    fn messages_of_postgres_are_counted_where_the_server_acts() {
        let mut sent = vec![0, 0, 0, 8, 4, 210, 22, 47];
        sent.extend([0, 0, 0, 9, 0, 3, 0, 0, 0]);
        sent.extend(b"Q\0\0\0\x07ab\0");
        sent.extend(b"P\0\0\0\x04S\0\0\0\x04");
        assert_eq!(
            acting(Protocol::Postgres, &sent),
            [true, true, true, false, true]
        );
    }

    #[test]
    fn packets_of_mysql_all_count() {
        assert_eq!(
            acting(Protocol::Mysql, &[2, 0, 0, 0, 3, 65, 0, 0, 0, 1]),
            [true, true]
        );
    }
}
