//! JSON over HTTP, with failures that say what was asked and answered.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// Sends requests to one server, with one token.
#[derive(Clone, Debug)]
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    request: String,
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    /// Null for an empty body, a string for one that is not JSON.
    pub body: Value,
}

impl ApiClient {
    /// `base` is `http://HOST:PORT`.
    pub fn new(base: impl Into<String>) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()
            .expect("a client without TLS settings can be built");
        Self {
            http,
            base: base.into(),
            token: None,
        }
    }

    /// The same client with a bearer token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Any request; without `body` there is none.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        match self.try_send(method.clone(), path, body).await {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path} was not answered: {error:?}"),
        }
    }

    /// The same while the server may be away, for example because it is being killed.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let request = format!("{method} {path}");
        let mut builder = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        if let Some(body) = body {
            builder = builder.json(body);
        }
        let response = builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        Ok(Answer {
            request,
            status,
            headers,
            body,
        })
    }
}

impl Answer {
    /// The body of an answer with a status from 200 to 299.
    ///
    /// # Panics
    /// With request, status and body for any other.
    #[track_caller]
    pub fn success(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} was answered with {}: {}",
            self.request,
            self.status,
            self.body
        );
        self.body
    }

    /// The body of an answer with exactly this status.
    ///
    /// # Panics
    /// With request, status and body for any other.
    #[track_caller]
    pub fn status(self, expected: u16) -> Value {
        assert!(
            self.status == expected,
            "{} was answered with {} instead of {expected}: {}",
            self.request,
            self.status,
            self.body
        );
        self.body
    }
}
