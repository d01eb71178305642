//! What a partner sends to exchange a code: a web form, or the same as JSON.

use axum::extract::Request;
use http::{HeaderMap, header};
use selvedge_control::ControlError;
use selvedge_control::oauth::{ExchangeProblem, Parameters, TokenRequest};
use selvedge_types::Secret;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::json::read_body;
use crate::{ApiError, AppState};

/// The fields as JSON. A repeated one is an error of the deserialiser's.
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenRequest, examples(json!({"grant_type": "authorization_code", "client_secret": "<PARTNER_SECRET>", "code": "<CODE>"})))]
pub(crate) struct TokenFields {
    /// `authorization_code`.
    #[schema(required, nullable = false)]
    grant_type: Option<String>,
    /// The partner's secret; it also says who the partner is.
    #[schema(required, nullable = false)]
    client_secret: Option<String>,
    /// From the callback: works once, for five minutes.
    #[schema(required, nullable = false)]
    code: Option<String>,
    /// The partner's id. Need not be sent; if it is, it has to belong to the secret.
    client_id: Option<String>,
    /// The callback. Need not be sent; if it is, it has to be the one that the code went to.
    redirect_uri: Option<String>,
}

impl TokenFields {
    fn of_form(text: &str) -> Option<Self> {
        let form = Parameters::parse(text).ok()?;
        let field = |name| Some(form.one(name).ok()?.map(str::to_owned));
        Some(Self {
            grant_type: field("grant_type")?,
            client_secret: field("client_secret")?,
            code: field("code")?,
            client_id: field("client_id")?,
            redirect_uri: field("redirect_uri")?,
        })
    }

    fn read(headers: &HeaderMap, bytes: &[u8]) -> Option<Self> {
        if is_json(headers) {
            serde_json::from_slice(bytes).ok()
        } else {
            Self::of_form(str::from_utf8(bytes).ok()?)
        }
    }

    /// Fields without a value count as not sent.
    fn request(self) -> TokenRequest {
        let sent = |field: Option<String>| field.filter(|value| !value.is_empty());
        TokenRequest {
            grant_type: sent(self.grant_type),
            client_secret: sent(self.client_secret).map(Secret::new),
            code: sent(self.code).map(Secret::new),
            client_id: sent(self.client_id),
            redirect_uri: sent(self.redirect_uri),
        }
    }
}

/// The request of a body; anything but JSON is taken for a form, whatever its type says.
pub(super) async fn read(request: Request, state: &AppState) -> Result<TokenRequest, ApiError> {
    let headers = request.headers().clone();
    let bytes = read_body(request, state).await?;
    bytes
        .and_then(|bytes| TokenFields::read(&headers, &bytes))
        .map(TokenFields::request)
        .ok_or_else(|| ControlError::from(ExchangeProblem::InvalidRequest).into())
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
