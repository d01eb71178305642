//! Serving HTTP: connections that end, whatever the client does.
//!
//! A request's header has to arrive in time, and a connection without a request is closed after the same time, so that no
//! client holds one for free. Bodies have their own limit, in the API. Connections are few enough for the process's files;
//! beyond that, new ones wait in the system's queue.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;

/// Connections open at once.
const MOST_CONNECTIONS: usize = 4_096;

/// Serves until `ended`, then lets requests under way finish.
pub(crate) async fn serve<L, A, F>(
    mut listener: L,
    answer: A,
    header_timeout: Duration,
    ended: impl Future<Output = ()>,
) where
    L: Listener,
    A: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        // Who has said all may close this half, and is answered. Not to look for that while a request is under way also spares
        // another buffer for each.
        .half_close(true);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    tokio::pin!(ended);
    loop {
        let next = async {
            // Nobody closes the semaphore.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            let (stream, _) = listener.accept().await;
            (place, stream)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = &mut ended => break,
        };
        let answer = answer.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let answering = answer(request.map(Body::new));
            async move { Ok::<_, Infallible>(answering.await) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    // Whoever connects from now on is refused by the system.
    drop(listener);
    graceful.shutdown().await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::response::IntoResponse;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn server(header_timeout: Duration) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let answer = |_| async { "hello".into_response() };
        let ended = stop.clone().cancelled_owned();
        tokio::spawn(serve(listener, answer, header_timeout, ended));
        (address, stop)
    }

    /// Everything until the server closes the connection.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        // A reset is an end too.
        let _ended = stream.read_to_end(&mut text).await;
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_connection_without_a_whole_header_is_closed() {
        let (address, _stop) = server(Duration::from_millis(100)).await;
        for begun in ["", "GET / HTTP/1.1\r\nhost: x\r\nx: "] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            assert!(!rest(&mut stream).await.contains("hello"), "{begun:?}");
        }
    }

    #[tokio::test]
    async fn a_header_that_comes_byte_by_byte_does_not_hold_a_connection() {
        let (address, _stop) = server(Duration::from_millis(100)).await;
        let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
        let dripping = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(10));
            while write.write_all(b"x").await.is_ok() {
                every.tick().await;
            }
        });
        let mut text = Vec::new();
        let _ended = read.read_to_end(&mut text).await;
        dripping.await.unwrap();
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_after_its_answer() {
        let (address, _stop) = server(Duration::from_millis(100)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let answer = rest(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn stopping_closes_idle_connections_at_once() {
        let (address, stop) = server(Duration::from_secs(3_600)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        stop.cancel();
        assert!(rest(&mut stream).await.ends_with("hello"));
    }
}
