//! Requests as they stand on the wire: what clients other than ours make of HTTP.

use std::fmt::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use std::io::Write as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Pushed, upsert};

const ACCEPTED: &str = r#"{"status":"OK","message":"Batch Accepted!"}"#;

fn body(id: i64) -> String {
    let messages = [upsert(id, &json!({ "id": id }))];
    json!({ "table_name": "t", "schema": {}, "messages": messages }).to_string()
}

/// A connection on which others write.
struct Wire {
    stream: TcpStream,
    host: String,
}

/// A status line, headers and a body.
struct Answer {
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn is(&self, status: u16, body: &str) {
        let line = self.head.lines().next().unwrap_or_default();
        let found = (line.split(' ').nth(1), self.body.as_str());
        assert_eq!(found, (Some(&*status.to_string()), body), "{}", self.head);
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = headers.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

impl Wire {
    async fn to(pushed: &Pushed) -> Self {
        let base = pushed.platform.server.base();
        let host = base.trim_start_matches("http://").to_owned();
        Self {
            stream: TcpStream::connect(&host).await.expect("it listens"),
            host,
        }
    }

    /// Sends the head of a request that is the connection's last one.
    async fn head(&mut self, line: &str, headers: &[(&str, &str)]) {
        let mut head = format!("{line} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers.iter().chain(&[("Connection", "close")]) {
            write!(head, "{name}: {value}\r\n").expect("a string takes it");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes()).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("it is taken");
    }

    /// What comes until there is `end`, or until the connection is closed.
    async fn read(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while end.is_empty() || !text.ends_with(end.as_bytes()) {
            match self.stream.read_u8().await {
                Ok(byte) => text.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(text).expect("UTF-8")
    }

    async fn answer(mut self) -> Answer {
        let text = self.read("").await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        Answer {
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

#[tokio::test]
async fn methods_without_bodies_have_answers_without_bodies() {
    let pushed = Pushed::start().await;
    let asked = async |line: &str| {
        let mut wire = Wire::to(&pushed).await;
        wire.head(line, &[]).await;
        wire.answer().await
    };
    let status = asked("HEAD /v2/import/status").await;
    status.is(200, "");
    assert_eq!(status.header("content-type"), Some("application/json"));
    let batch = asked("HEAD /v2/import/batch").await;
    batch.is(405, "");
    let options = asked("OPTIONS /v2/import/push").await;
    options.is(405, "Method not allowed.");
    assert_eq!(options.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_sender_that_asks_first_is_told_to_go_on_or_why_not() {
    let pushed = Pushed::start().await;
    let (token, body) = (format!("Bearer {}", pushed.token), body(1));
    let length = body.len().to_string();
    let headers = |token| {
        [
            ("Authorization", token),
            ("Content-Type", "application/json"),
            ("Content-Length", &length),
            ("Expect", "100-continue"),
        ]
    };
    let mut wire = Wire::to(&pushed).await;
    wire.head("POST /v2/import/batch", &headers(&token)).await;
    assert_eq!(wire.read("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(body.as_bytes()).await;
    wire.answer().await.is(201, ACCEPTED);

    let mut wire = Wire::to(&pushed).await;
    let stranger = headers("Bearer at_unknown");
    wire.head("POST /v2/import/batch", &stranger).await;
    // The body is not waited for.
    let refused = wire.answer().await;
    refused.is(401, r#"{"message":"Not Authorized"}"#);
}

#[tokio::test]
async fn a_sender_that_has_closed_its_half_of_the_connection_is_answered() {
    let pushed = Pushed::start().await;
    let (token, body) = (format!("Bearer {}", pushed.token), body(1));
    let length = body.len().to_string();
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json"),
        ("Content-Length", &*length),
    ];
    let mut wire = Wire::to(&pushed).await;
    wire.head("POST /v2/import/batch", &headers).await;
    wire.send(body.as_bytes()).await;
    wire.stream.shutdown().await.expect("it can be closed");
    wire.answer().await.is(201, ACCEPTED);
}

#[tokio::test]
async fn bodies_come_in_chunks_and_behind_byte_order_marks() {
    let pushed = Pushed::start().await;
    let token = format!("Bearer {}", pushed.token);
    let mut wire = Wire::to(&pushed).await;
    let headers = [
        ("Authorization", &*token),
        ("Content-Type", "application/json; charset=\"UTF-8\""),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "X-Sum"),
    ];
    wire.head("POST /v2/import/batch", &headers).await;
    let body = format!("\u{feff}{}", body(1));
    for piece in body.as_bytes().chunks(17) {
        wire.send(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        wire.send(piece).await;
        wire.send(b"\r\n").await;
    }
    wire.send(b"0\r\nX-Sum: 7\r\n\r\n").await;
    wire.answer().await.is(201, ACCEPTED);
    let query = "select id::text, '' from pushed.t";
    pushed.rows_become(query, &[("1", "")]).await;

    let record = json!([{
        "client_id": pushed.platform.account, "table_name": "u", "sequence": 1, "action": "upsert",
        "key_names": ["id"], "data": { "id": 1 },
    }]);
    for media_type in ["application/json", "application/transit+json"] {
        let marked = format!("\u{feff}{record}");
        let said = pushed
            .post_text("/v2/import/push", media_type, marked)
            .await;
        said.accepted();
    }
}

#[tokio::test]
async fn of_two_tokens_none_counts() {
    let pushed = Pushed::start().await;
    let token = format!("Bearer {}", pushed.token);
    let mut wire = Wire::to(&pushed).await;
    let headers = [
        ("Authorization", &*token),
        ("Authorization", "Bearer at_unknown"),
        ("Content-Type", "application/json"),
        ("Content-Length", "0"),
    ];
    wire.head("POST /v2/import/batch", &headers).await;
    let refused = wire.answer().await;
    refused.is(401, r#"{"message":"Not Authorized"}"#);
}

#[tokio::test]
async fn a_small_body_that_unfolds_to_a_gigabyte_is_refused() {
    let pushed = Pushed::start().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..1_024 {
        bomb.write_all(&spaces).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    let said = pushed
        .raw(|http, base| {
            http.post(format!("{base}/v2/import/push"))
                .header(AUTHORIZATION, format!("Bearer {}", pushed.token))
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, "gzip")
                .body(bomb)
        })
        .await;
    assert_eq!(said.status, 413);
    let said: Value = serde_json::from_str(&said.text).unwrap();
    // It is not unfolded to its end to be measured.
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("size (83886081s bytes)"), "{message}");
}
