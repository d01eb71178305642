//! What is no request, or hardly one, over a real connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::app::{Tenant, TestApp};

/// What is sent, and the statuses that may be answered; none where the connection ends without a word.
fn conversations(tenant: &Tenant) -> Vec<(Vec<u8>, &'static [u16])> {
    let token = &tenant.token;
    let post = |headers: &str, body: &str| {
        format!(
            "POST /v4/sources HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n{body}"
        )
        .into_bytes()
    };
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").into_bytes()
    };
    let many: String = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let large = format!("x: {}\r\n", "y".repeat(1_000_000));
    vec![
        (get("/healthz", ""), &[200]),
        // More than the HTTP library takes.
        (get("/healthz", &many), &[431]),
        (get("/healthz", &large), &[431]),
        (get(&format!("/{}", "x".repeat(1_000_000)), ""), &[414, 431]),
        // No HTTP.
        (b"\r\n\r\n\r\n".to_vec(), &[]),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            &[400],
        ),
        (b"GET\r\n\r\n".to_vec(), &[400]),
        (b"GET /healthz HTTP/9.9\r\n\r\n".to_vec(), &[400]),
        (get("/healthz", "no colon\r\n"), &[400]),
        (get("/healthz", "x: a\0b\r\n"), &[400]),
        // Addresses that are none, and one that is one by a hair.
        (get("/v4/sources/ä", ""), &[400, 401, 404]),
        (get("/v4/sour ces", ""), &[400]),
        (get("*", ""), &[400, 404]),
        (get("http://elsewhere.example/healthz", ""), &[200]),
        // Bodies that are framed wrongly, broken off, or not there.
        (post("Content-Length: -1\r\n", "{}"), &[400]),
        (
            post("Content-Length: 99999999999999999999\r\n", "{}"),
            &[400],
        ),
        (
            post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
            &[400],
        ),
        (post("Content-Length: 100\r\n", "{}"), &[400]),
        (
            post("Content-Length: 18446744073709551614\r\n", "{}"),
            &[400, 413, 431],
        ),
        (
            post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n"),
            &[400],
        ),
        (post("Transfer-Encoding: gzip\r\n", "{}"), &[400]),
        (
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
                "2\r\n{}\r\n0\r\n\r\n",
            ),
            &[400],
        ),
        (
            post("Expect: 100-continue\r\nContent-Length: 2\r\n", "{}"),
            &[100, 400],
        ),
        (post("", ""), &[400]),
    ]
}

#[tokio::test]
async fn what_is_hardly_http_is_refused_and_harms_nobody() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, app.router.clone()).into_future());
    for (sent, statuses) in conversations(&tenant) {
        let shown = sent[..sent.len().min(200)].escape_ascii().to_string();
        let talk = converse(address, &sent, broken_off(&sent));
        let answer = tokio::time::timeout(Duration::from_secs(30), talk).await;
        let answer = answer.unwrap_or_else(|_| panic!("{shown}: no end"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        match status {
            Some(status) => assert!(statuses.contains(&status), "{shown}: {answer}"),
            None => assert!(statuses.is_empty(), "{shown}: no answer"),
        }
        // The HTTP library's own refusals have no body.
        if !body.is_empty() && status != Some(100) {
            let parsed = serde_json::from_str::<serde_json::Value>(body);
            assert!(parsed.is_ok(), "{shown}: {answer}");
        }
    }
    let well = format!(
        "GET /v4/sources HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
        tenant.token
    );
    let answer = converse(address, well.as_bytes(), false).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.abort();
}

/// Whether the other side has to be told that nothing else comes.
fn broken_off(sent: &[u8]) -> bool {
    let sent = String::from_utf8_lossy(sent);
    sent.trim().is_empty() || sent.contains("Length: 100\r\n") || sent.ends_with("2\r\n{}\r\n")
}

/// Sends everything and reads to the end.
async fn converse(address: SocketAddr, sent: &[u8], broken_off: bool) -> String {
    let connection = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = connection.into_split();
    let sending = async {
        // The other side may have heard enough before the end.
        let _ = writing.write_all(sent).await;
        if broken_off {
            let _ = writing.shutdown().await;
        }
        writing
    };
    let receiving = async {
        let mut received = Vec::new();
        // Whoever has not read everything resets the connection when it closes it.
        let _ = reading.read_to_end(&mut received).await;
        received
    };
    let (_writing, received) = tokio::join!(sending, receiving);
    String::from_utf8(received).unwrap()
}
