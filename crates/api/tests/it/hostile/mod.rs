//! Every operation of the OpenAPI document, asked as nobody asks who means well: see [`corpus`] for what is sent.
//!
//! Whatever it is, the answer is one that the document has for the operation, it is none of the server's own failures, and
//! afterwards the server works as before. Requests are made from the document and its samples, so that a new route is walked
//! without a line here; it fails the walk when its valid request does not get through.

mod corpus;
mod mutations;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use http::{Method, Request, Uri};
use serde_json::Value;

use crate::app::{Answer, TestApp};
use crate::walk::{Operation, Victim, operations};

/// Operations whose valid request is refused here all the same, with the reason.
const REFUSED: [(&str, &str); 1] = [("exchange_code", "a code works once")];

/// How much is sent.
#[derive(Clone, Copy)]
enum Extent {
    Everything,
    /// Bodies that are read, and may get as far as a statement: nothing else depends on the database.
    WhatIsStored,
}

#[tokio::test]
async fn hostile_requests_to_every_operation_get_a_documented_answer() {
    let app = TestApp::with(|settings| settings.max_destinations = 1_000, |state| state).await;
    walk(&app, Extent::Everything).await;
}

#[tokio::test]
async fn hostile_values_in_every_body_get_a_documented_answer_on_postgresql() {
    let app = TestApp::on_postgres_with(|settings| settings.max_destinations = 1_000).await;
    walk(&app, Extent::WhatIsStored).await;
}

async fn walk(app: &TestApp, extent: Extent) {
    let all = operations(app).await;
    for operation in &all {
        let target = Target::new(app, &all, operation).await;
        let before = target.valid().await.status;
        let refused = REFUSED.iter().any(|(id, _)| *id == operation.id);
        assert_eq!(
            before.as_u16() >= 400,
            refused,
            "{}: what the document has as a sample is answered with {before}, so that nothing behind it is reached",
            operation.id
        );
        match (extent, &operation.body) {
            (Extent::WhatIsStored, Some(_)) => target.values(&corpus::stored_values()).await,
            (Extent::WhatIsStored, None) => {}
            (Extent::Everything, body) => {
                target.addresses().await;
                target.headers().await;
                match body {
                    Some(_) => target.bodies().await,
                    None => target.unasked_bodies().await,
                }
            }
        }
        if operation.method != Method::DELETE {
            assert_eq!(target.valid().await.status, before, "{}", operation.id);
        }
        target.read_everything(&all).await;
    }
}

/// One operation, and an account of its own to try it on.
struct Target<'a> {
    app: &'a TestApp,
    operation: &'a Operation,
    victim: Victim,
    ids: BTreeMap<&'static str, String>,
    /// Where what it creates can be deleted again, so that no limit on a number is in the way of the next one.
    undo: Option<String>,
    emails: AtomicU32,
}

impl<'a> Target<'a> {
    async fn new(app: &'a TestApp, all: &'a [Operation], operation: &'a Operation) -> Self {
        let victim = Victim::create(app, &format!("{}@acme.example", operation.id)).await;
        let mut ids = victim.ids_for(operation);
        let form = app.account_form("");
        for name in ["partner_id", "partner_secret"] {
            ids.insert(name, form[name].as_str().unwrap().to_owned());
        }
        ids.insert("tap_stream_id", "shop-public-orders".to_owned());
        ids.insert("breadcrumb", "[]".to_owned());
        if operation.id == "read_log" {
            ids.extend(log_address(app, &victim).await);
        }
        if operation.id == "create_destination_v3" {
            // It creates an account's only one.
            let path = format!("/v4/destinations/{}", ids["destination_id"]);
            app.delete(&victim.tenant, &path).await.ok();
        }
        Self {
            app,
            operation,
            undo: undo(all, operation, &ids),
            victim,
            ids,
            emails: AtomicU32::new(0),
        }
    }

    /// The address and the body of a valid request.
    fn request(&self) -> (String, Value) {
        let mut ids = self.ids.clone();
        let number = self.emails.fetch_add(1, Ordering::Relaxed);
        let email = format!("{}-{number}@acme.example", self.operation.id);
        ids.insert("email", email);
        self.operation.request(&ids)
    }

    async fn valid(&self) -> Answer {
        let (path, body) = self.request();
        let answer = self.send(&path, &[], body.to_string().into_bytes()).await;
        answer.expect("an address")
    }

    /// Sends a request in the account's name; `None` where the address is none.
    async fn send(&self, path: &str, headers: &[(&str, &[u8])], body: Vec<u8>) -> Option<Answer> {
        let uri = path.parse::<Uri>().ok()?;
        let sent = Sent {
            operation: &self.operation.id,
            path,
            headers,
            body: &body,
        };
        let bearer = format!("Bearer {}", self.victim.tenant.token);
        let mut request = Request::builder()
            .method(self.operation.method.clone())
            .uri(uri);
        if !self.operation.open && headers.iter().all(|(name, _)| *name != "authorization") {
            request = request.header("authorization", bearer);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        let answer = self.app.send_request(request).await;
        assert!(answer.status.as_u16() < 500, "{}", answer.text);
        drop(sent);
        self.undo(&answer).await;
        Some(answer)
    }

    async fn undo(&self, answer: &Answer) {
        if let Some(collection) = &self.undo
            && answer.status == 200
        {
            let path = format!("{collection}/{}", answer.json()["id"]);
            self.app.delete(&self.victim.tenant, &path).await.ok();
        }
    }

    /// Ids, names and queries.
    async fn addresses(&self) {
        let (valid, body) = self.request();
        let body = body.to_string().into_bytes();
        let (path, _) = valid.split_once('?').unwrap_or((&valid, ""));
        let named = |place: &'static str| {
            let parameters = self.operation.parameters.iter();
            parameters.filter_map(move |(name, found, _)| (found == place).then_some(name.as_str()))
        };
        for name in named("path") {
            for segment in corpus::segments() {
                let mut operation = self.operation.path.clone();
                operation = operation.replace(&format!("{{{name}}}"), &segment);
                for (other, _, example) in &self.operation.parameters {
                    let id = self.ids.get(other.as_str()).cloned();
                    let id = id.unwrap_or_else(|| example.as_str().unwrap_or_default().to_owned());
                    operation = operation.replace(&format!("{{{other}}}"), &id);
                }
                self.send(&operation, &[], body.clone()).await;
            }
        }
        for query in corpus::queries() {
            for name in named("query").chain(["page"]) {
                let path = format!("{path}?{}", query.replace("{}", name));
                self.send(&path, &[], body.clone()).await;
            }
        }
    }

    async fn headers(&self) {
        for (name, values) in corpus::headers() {
            let (path, body) = self.request();
            let headers: Vec<(&str, &[u8])> = values
                .iter()
                .map(|value| (name, value.as_slice()))
                .collect();
            self.send(&path, &headers, body.to_string().into_bytes())
                .await;
        }
        for authorization in corpus::authorizations() {
            let (path, body) = self.request();
            let headers = [("authorization", authorization.as_slice())];
            let answer = self
                .send(&path, &headers, body.to_string().into_bytes())
                .await
                .unwrap();
            assert!(self.operation.open || answer.status == 401);
        }
    }

    /// Whatever is sent where nothing is read.
    async fn unasked_bodies(&self) {
        for body in [
            vec![b'x'; 200_000],
            b"\xff".to_vec(),
            corpus::crowd("{", "}"),
        ] {
            let (path, _) = self.request();
            self.send(&path, &[], body).await;
        }
    }

    async fn bodies(&self) {
        for body in corpus::bodies() {
            let (path, _) = self.request();
            self.send(&path, &[], body).await;
        }
        let (_, sample) = self.request();
        let places = corpus::places(&sample);
        // A long value in each place in turn: they take a while.
        for (place, value) in places.iter().zip(corpus::long_values().iter().cycle()) {
            self.put(place, value).await;
        }
        let is_object = |place: &&String| sample.pointer(place).is_some_and(Value::is_object);
        let objects: Vec<&String> = places.iter().filter(is_object).collect();
        let crowd = String::from_utf8(corpus::crowd("", "")).unwrap();
        for (place, objects_behind) in objects.iter().zip((0..objects.len()).rev()) {
            let nothing = r#""\u0000":"\u0000""#;
            let member = if objects_behind == 0 { &crowd } else { nothing };
            let (path, sample) = self.request();
            let body = corpus::with_member(&sample, place, member).unwrap();
            self.send(&path, &[], body.into_bytes()).await;
        }
        for field in &self.operation.fields {
            let (path, mut sample) = self.request();
            sample.as_object_mut().unwrap().remove(field);
            self.send(&path, &[], sample.to_string().into_bytes()).await;
        }
        self.values(&corpus::values()).await;
    }

    /// Every value of the sample, and every name that it could have, with each of these in its place.
    async fn values(&self, values: &[String]) {
        let (_, sample) = self.request();
        for place in corpus::places(&sample) {
            for value in values {
                self.put(&place, value).await;
            }
        }
        for field in &self.operation.fields {
            // A name that the sample has already is there twice then.
            let enough = if sample.get(field).is_some() {
                2
            } else {
                values.len()
            };
            for value in &values[..enough] {
                let (path, sample) = self.request();
                let member = format!("{}:{value}", Value::from(field.as_str()));
                let body = corpus::with_member(&sample, "", &member).unwrap();
                self.send(&path, &[], body.into_bytes()).await;
            }
        }
    }

    async fn put(&self, place: &str, value: &str) {
        let (path, sample) = self.request();
        let body = corpus::with(&sample, place, value);
        self.send(&path, &[], body.into_bytes()).await;
    }

    /// Nothing that was stored is in the way of reading it.
    async fn read_everything(&self, all: &[Operation]) {
        for operation in all
            .iter()
            .filter(|operation| operation.method == Method::GET)
        {
            let ids = self.victim.ids_for(operation);
            let names = |(name, place, _): &(String, String, Value)| {
                place == "path" && ids.contains_key(name.as_str())
            };
            let of_one = operation.parameters.iter().any(names);
            if operation.open && of_one {
                continue;
            }
            let (path, _) = operation.request(&ids);
            let answer = self.app.get(&self.victim.tenant, &path).await;
            let (status, id) = (answer.status.as_u16(), &self.operation.id);
            // One thing may be gone by now.
            assert!(
                status == 200 || of_one && status < 500,
                "after {id}, {path}: {}",
                answer.text
            );
        }
    }
}

/// The collection from which what an operation creates can be deleted.
fn undo(all: &[Operation], operation: &Operation, ids: &BTreeMap<&str, String>) -> Option<String> {
    if operation.method != Method::POST {
        return None;
    }
    let collection = operation.path.replace("/v3/", "/v4/");
    let deletes = |other: &&Operation| {
        let id = other.path.strip_prefix(&collection);
        let id = id.and_then(|rest| rest.strip_prefix("/{"));
        other.method == Method::DELETE && id.is_some_and(|id| !id.contains('/'))
    };
    all.iter().find(deletes)?;
    let (path, _) = operation.request(ids);
    Some(path.replace("/v3/", "/v4/"))
}

/// What the address of the log of the victim's job carries.
async fn log_address(app: &TestApp, victim: &Victim) -> [(&'static str, String); 2] {
    let job = &victim.ids["job_name"];
    app.logs.write(&job.parse().unwrap(), "a line\n");
    let path = format!("/v4/{}/extractions/{job}", victim.tenant.account);
    let found = app.get(&victim.tenant, &path).await;
    let location = found.headers["location"].to_str().unwrap();
    let (_, query) = location.split_once('?').unwrap();
    ["expires", "signature"].map(|name| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find_map(|(found, value)| (found == name).then_some(value));
        (name, value.unwrap().to_owned())
    })
}

/// Says what was sent when what comes of it fails a test.
struct Sent<'a> {
    operation: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let shown = |bytes: &[u8]| {
                let start = &bytes[..bytes.len().min(500)];
                format!("{} ({} bytes)", start.escape_ascii(), bytes.len())
            };
            let headers: Vec<String> = self
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(value)))
                .collect();
            eprintln!(
                "{} was asked {} with {headers:?}: {}",
                self.operation,
                shown(self.path.as_bytes()),
                shown(self.body)
            );
        }
    }
}
