//! `POST /oauth/token`: a partner exchanges a code for a permanent access token. No token; the partner's secret is in the
//! body.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use selvedge_control::oauth;
use selvedge_types::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{self, TokenFields};
use crate::json::Json;
use crate::openapi::errors::TokenError;
use crate::{ApiError, AppState};

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Token, examples(json!({"token_type": "bearer", "access_token": "ac_9c1e55d0aa", "stitch_account_id": 140_217})))]
pub(crate) struct TokenView {
    /// Always `bearer`.
    token_type: &'static str,
    /// Works until the user revokes it.
    access_token: String,
    #[schema(value_type = i64)]
    stitch_account_id: AccountId,
}

/// Exchange an authorization code
///
/// For partners, after a user has let them into an account: the callback carried a code, which is exchanged here within five minutes,
/// once. Every exchange makes a new token; earlier ones stay valid. The body is a form; JSON is taken too.
#[utoipa::path(
    post,
    path = "/oauth/token",
    tag = "Partner authentication",
    security(()),
    request_body(
        content(
            (TokenFields = "application/x-www-form-urlencoded"),
            (TokenFields = "application/json"),
        ),
    ),
    responses(
        (status = 200, description = "A permanent access token", body = TokenView),
        (status = 400, description = "`invalid_request`: a field is missing, repeated or malformed. `invalid_client`: the secret is unknown, the partner is disabled, or `client_id` is another's. `invalid_grant`: the code is unknown, expired, used, or of another partner. `unsupported_grant_type`: not `authorization_code`.", body = TokenError),
    ),
)]
pub(crate) async fn exchange_code(State(state): State<AppState>, request: Request) -> Response {
    let mut response = match exchange(&state, request).await {
        Ok(token) => Json(token).into_response(),
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

async fn exchange(state: &AppState, request: Request) -> Result<TokenView, ApiError> {
    let request = body::read(request, state).await?;
    let token = oauth::exchange(&state.control, request).await?;
    Ok(TokenView {
        token_type: "bearer",
        access_token: token.access_token.expose().to_owned(),
        stitch_account_id: token.account,
    })
}
