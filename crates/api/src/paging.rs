//! The envelope of the two lists that come in pages.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use selvedge_types::AccountId;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The `page` of the query, from 1. Anything but one positive integer is page 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageNumber(u32);

impl From<PageNumber> for selvedge_store::Page {
    fn from(PageNumber(number): PageNumber) -> Self {
        Self::number(number)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageNumber {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let parameters = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map(|Query(parameters)| parameters)
            .unwrap_or_default();
        Ok(Self::among(&parameters))
    }
}

impl PageNumber {
    fn among(parameters: &[(String, String)]) -> Self {
        let mut pages = parameters.iter().filter(|(name, _)| name == "page");
        let number = match (pages.next(), pages.next()) {
            (Some((_, text)), None) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|page| *page > 0)
            }
            _ => None,
        };
        Self(number.unwrap_or(1))
    }
}

/// `{"data": […], "page": …, "total": …, "links": {…}}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    #[schema(minimum = 1)]
    page: u32,
    /// Records on all pages together.
    total: u64,
    /// Addresses of the neighbours that exist: `next`, `previous`.
    #[schema(value_type = BTreeMap<String, String>)]
    links: Map<String, Value>,
}

impl<T> Page<T> {
    /// `list` is the last segment of the address.
    pub(crate) fn new(
        data: Vec<T>,
        PageNumber(page): PageNumber,
        total: u64,
        account: AccountId,
        list: &str,
    ) -> Self {
        let last = total.div_ceil(u64::from(selvedge_store::Page::SIZE));
        let number = u64::from(page);
        let mut links = Map::new();
        if last > 1 {
            let link = |page: u64| Value::String(format!("/v4/{account}/{list}?page={page}"));
            if number < last {
                links.insert("next".to_owned(), link(number + 1));
            }
            if number > 1 {
                links.insert("previous".to_owned(), link((number - 1).min(last)));
            }
        }
        Self {
            data,
            page,
            total,
            links,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(query: &[&str]) -> u32 {
        let parameters: Vec<_> = query
            .iter()
            .map(|text| ("page".to_owned(), (*text).to_owned()))
            .collect();
        PageNumber::among(&parameters).0
    }

    fn links(page: u32, total: u64) -> Value {
        let page: Page<()> = Page::new(
            Vec::new(),
            PageNumber(page),
            total,
            AccountId(140_217),
            "loads",
        );
        page.links.into()
    }

    #[test]
    fn anything_but_one_positive_integer_is_the_first_page() {
        assert_eq!(number(&["3"]), 3);
        for bad in [
            &["0"][..],
            &["-1"],
            &["x"],
            &[""],
            &["2", "2"],
            &["4294967296"],
            &[],
        ] {
            assert_eq!(number(bad), 1, "{bad:?}");
        }
    }

    #[test]
    fn links_lead_to_the_neighbours_that_exist() {
        assert_eq!(links(1, 100), json!({}));
        assert_eq!(links(1, 237), json!({"next": "/v4/140217/loads?page=2"}));
        assert_eq!(
            links(2, 237),
            json!({"next": "/v4/140217/loads?page=3", "previous": "/v4/140217/loads?page=1"})
        );
        assert_eq!(
            links(3, 237),
            json!({"previous": "/v4/140217/loads?page=2"})
        );
        assert_eq!(
            links(9, 237),
            json!({"previous": "/v4/140217/loads?page=3"})
        );
        assert_eq!(links(2, 0), json!({}));
    }
}
