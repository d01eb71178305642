//! The HTTP client of the tour: sends what a platform would send, and prints it.

use anyhow::{Context, bail};
use reqwest::Method;
use serde_json::Value;

/// Talks to the server under test, printing each request with the essence of its answer.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(base: String) -> Self {
        Self {
            http: reqwest::Client::new(),
            base,
            token: None,
        }
    }

    /// Later requests carry this access token.
    pub(crate) fn authenticate(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Sends a request, prints it and `essence` of the answer, and returns the answer. Any status but 200 is an error.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        essence: impl Fn(&Value) -> String,
    ) -> anyhow::Result<Value> {
        let shown = body
            .as_ref()
            .map(|body| format!("  {}", hide_secrets(body.clone())))
            .unwrap_or_default();
        println!("\n→ {method} {path}{shown}");
        let answer = self.quietly(method, path, body).await?;
        println!("← 200 {}", essence(&answer));
        Ok(answer)
    }

    /// The same without printing, for polling.
    pub(crate) async fn quietly(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let text = self.send(method.clone(), path, body).await?;
        serde_json::from_str(&text)
            .with_context(|| format!("{method} {path} did not answer with JSON"))
    }

    /// The text behind an address, redirects followed.
    pub(crate) async fn text(&self, path: &str) -> anyhow::Result<String> {
        self.send(Method::GET, path, None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<String> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("{method} {path} could not be sent"))?;
        let status = response.status();
        let text = response
            .text()
            .await
            .with_context(|| format!("the answer to {method} {path} was cut short"))?;
        if status != reqwest::StatusCode::OK {
            bail!("{method} {path} answered {status}: {text}");
        }
        Ok(text)
    }
}

/// What is printed never shows a password or partner secret, not even a made-up one.
fn hide_secrets(mut body: Value) -> Value {
    fn walk(value: &mut Value) {
        if let Value::Object(map) = value {
            for (key, value) in map.iter_mut() {
                if matches!(key.as_str(), "password" | "partner_secret") {
                    *value = Value::from("…");
                } else {
                    walk(value);
                }
            }
        }
    }
    walk(&mut body);
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let shown = hide_secrets(
            json!({"type": "postgres", "properties": {"user": "u", "password": "p4ss"}}),
        );
        assert!(!shown.to_string().contains("p4ss") && shown.to_string().contains("postgres"));
    }
}
