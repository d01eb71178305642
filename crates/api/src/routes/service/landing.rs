//! `GET /`: what runs here, for a person with a browser. One page, nothing loaded from elsewhere.

use axum::response::{Html, IntoResponse, Response};
use http::header;

const PAGE: &str = concat!(
    r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Selvedge</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #222; background: #fff }
code, pre { font: 14px/1.5 ui-monospace, monospace; background: #f3f3f3; border-radius: 4px }
code { padding: .1rem .3rem } pre { padding: 1rem; overflow-x: auto }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } code, pre { background: #262626 } }
</style>
<h1>Selvedge</h1>
<p>This is a Selvedge server, version "#,
    env!("CARGO_PKG_VERSION"),
    r#": it replicates data from sources to destinations and speaks the Stitch Connect API. Clients of that API
work with this address as their base URL.</p>
<p>Calls carry an access token. A partner gets one with an account:</p>
<pre>POST /v3/accounts</pre>
<p>With it, what can be connected:</p>
<pre>GET /v4/source-types
GET /v4/destination-types
Authorization: Bearer &lt;ACCESS_TOKEN&gt;</pre>
<p>Then <code>POST /v4/destinations</code>, <code>POST /v4/sources</code>, choose streams with
<code>PUT /v4/sources/{source_id}/streams/metadata</code>, and start a run with
<code>POST /v4/sources/{source_id}/sync</code>.</p>
<p>Whether the server is up: <a href="/healthz">/healthz</a>. Whether it can serve: <a href="/readyz">/readyz</a>.</p>
</html>
"#
);

pub(crate) async fn landing() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE)).into_response()
}
