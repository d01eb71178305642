//! `GET /oauth/authorization`: where a partner sends a user to be let into an account. What the partner asks for is judged;
//! the user cannot sign in here yet, and is told so.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use selvedge_control::oauth::{Authorization, Parameters, find_authorization};
use selvedge_control::{Control, ControlError};

use crate::shell::Section;
use crate::{Document, Policy, Shell, Site};

#[derive(Template)]
#[template(path = "authorization.html")]
struct Page {
    shell: Shell,
    /// `None`: what was asked for is refused, and nobody is sent anywhere.
    request: Option<Authorization>,
}

#[derive(Clone)]
struct Context {
    site: Site,
    control: Control,
}

/// The page, which looks partners up.
pub fn authorization(site: &Site, control: Control) -> Router {
    let context = Context {
        site: site.clone(),
        control,
    };
    Router::new()
        .route("/oauth/authorization", get(answer))
        .with_state(context)
}

async fn answer(State(context): State<Context>, RawQuery(query): RawQuery) -> Response {
    let (status, request) = match judge(&context.control, query.as_deref().unwrap_or("")).await {
        Ok(Some(request)) => (StatusCode::NOT_IMPLEMENTED, Some(request)),
        Ok(None) => (StatusCode::BAD_REQUEST, None),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "request of a partner could not be judged");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let page = Page {
        shell: Shell::new(&context.site, Section::Elsewhere),
        request,
    };
    let html = page.render().expect("the template writes to memory only");
    Document::page(html, &Policy::default()).answer_once(status)
}

/// What a partner asks for; `None` when it may not ask for it.
async fn judge(control: &Control, query: &str) -> Result<Option<Authorization>, ControlError> {
    let Ok(sent) = Parameters::parse(query) else {
        return Ok(None);
    };
    let (Ok(Some(client_id)), Ok(redirect_uri)) = (sent.one("client_id"), sent.one("redirect_uri"))
    else {
        return Ok(None);
    };
    let mut tx = control.store().read().await?;
    match find_authorization(&mut tx, client_id, redirect_uri).await {
        Ok(request) => Ok(Some(request)),
        Err(ControlError::Authorization(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(request: Option<Authorization>) -> String {
        let site = Site {
            brand: "Loom & Co".to_owned(),
            public_url: "https://pipes.example.com".to_owned(),
        };
        let shell = Shell::new(&site, Section::Elsewhere);
        Page { shell, request }.render().unwrap()
    }

    #[test]
    fn what_the_partner_is_called_is_text_and_nothing_else() {
        let text = page(Some(Authorization {
            partner_id: "oc_1".to_owned(),
            partner_name: "<script>Warp & Weft".to_owned(),
            redirect_uri: "https://warp.example/cb?x=1&y=\"2\"".to_owned(),
        }));
        assert!(text.contains("&#60;script&#62;Warp &#38; Weft asks for access"));
        assert!(text.contains(
            "selvedge partner authorize oc_1 ACCOUNT_ID --redirect-uri 'https://warp.example/cb?x=1&#38;y=&#34;2&#34;'"
        ));
        assert!(!text.contains("<script"));
    }

    #[test]
    fn a_refusal_names_nobody() {
        let text = page(None);
        assert!(text.contains("This link does not work"));
        assert!(!text.contains("aria-current"));
    }
}
