//! Variable segments of the path: ids are decimal 64-bit numbers, and what does not parse is an address that does not exist.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::ApiError;

/// The first variable segment.
pub(crate) struct Segment<T>(pub(crate) T);

/// The first two variable segments.
pub(crate) struct Segments<A, B>(pub(crate) A, pub(crate) B);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Segment<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let segments = segments(parts, state).await?;
        Ok(Self(parse(&segments, 0)?))
    }
}

impl<S: Send + Sync, A: FromStr, B: FromStr> FromRequestParts<S> for Segments<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let segments = segments(parts, state).await?;
        Ok(Self(parse(&segments, 0)?, parse(&segments, 1)?))
    }
}

/// The first variable segment where an address whose last part is no id is still answered by its endpoint: `None` then.
pub(crate) struct AnySegment<T>(pub(crate) Option<T>);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for AnySegment<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let segments = segments(parts, state).await.unwrap_or_default();
        Ok(Self(parse(&segments, 0).ok()))
    }
}

async fn segments<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Vec<String>, ApiError> {
    // Fails for segments that are not UTF-8 after decoding.
    let Path(segments) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::NotFound)?;
    Ok(segments.into_iter().map(|(_, value)| value).collect())
}

fn parse<T: FromStr>(segments: &[String], index: usize) -> Result<T, ApiError> {
    segments
        .get(index)
        .and_then(|segment| segment.parse().ok())
        .ok_or(ApiError::NotFound)
}
