//! `GET /docs`: how to use the API, for a person who reads it once from the top and comes back for single calls.
//!
//! The words and the guides are here; every endpoint with its arguments, bodies and answers is drawn from the OpenAPI
//! description that the handlers make, so that this page cannot say something else.

mod description;
mod fields;
mod text;

use askama::Template;
use axum::Router;
use axum::routing::get;
use http::HeaderMap;
use serde_json::Value;

use crate::shell::Section;
use crate::{Document, Policy, Shell, Site};

pub use self::description::DescriptionError;
use self::description::Group;

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    shell: Shell,
    public_url: &'a str,
    guides: &'static [Guide],
    groups: Vec<Group>,
}

/// Steps to paste into a shell, each building on the ones before it.
struct Guide {
    anchor: &'static str,
    title: &'static str,
    lead: &'static str,
    commands: &'static str,
}

const GUIDES: &[Guide] = &[
    Guide {
        anchor: "guide-account",
        title: "An account",
        lead: "Your platform is a partner. It makes one account per customer and keeps the account's access token.",
        commands: include_str!("guides/account.sh"),
    },
    Guide {
        anchor: "guide-call",
        title: "A call",
        lead: "The following guides use curl and jq, and this function.",
        commands: include_str!("guides/call.sh"),
    },
    Guide {
        anchor: "guide-destination",
        title: "The first destination",
        lead: "The warehouse that the data is loaded into. Its user needs CREATE on the database.",
        commands: include_str!("guides/destination.sh"),
    },
    Guide {
        anchor: "guide-source",
        title: "The first source",
        lead: "A database whose rows are copied. Its user needs CONNECT, USAGE on the schemas and SELECT on the tables. \
               Without a destination_id it is mapped to the account's only destination.",
        commands: include_str!("guides/source.sh"),
    },
    Guide {
        anchor: "guide-streams",
        title: "Streams and fields",
        lead: "Nothing is replicated before it is selected. With the first stream selected the source is fully configured.",
        commands: include_str!("guides/streams.sh"),
    },
    Guide {
        anchor: "guide-replicate",
        title: "A replication job",
        lead: "One job per source runs at a time; starting a second one says so and changes nothing.",
        commands: include_str!("guides/replicate.sh"),
    },
    Guide {
        anchor: "guide-schedule",
        title: "Scheduling",
        lead: "When jobs start is a matter of three properties of the source. All times are UTC.",
        commands: include_str!("guides/schedule.sh"),
    },
    Guide {
        anchor: "guide-oauth",
        title: "OAuth by yourself",
        lead: "Sources whose report card has an oauth step take the tokens of a handshake that you performed.",
        commands: include_str!("guides/oauth.sh"),
    },
    Guide {
        anchor: "guide-import",
        title: "Import API sources",
        lead: "Sources that data is pushed to: your programs send records, and need not wait for a destination. Each has access tokens of its own.",
        commands: include_str!("guides/import.sh"),
    },
    Guide {
        anchor: "guide-notifications",
        title: "Notifications",
        lead: "Mail for people outside the account, and calls to your platform.",
        commands: include_str!("guides/notifications.sh"),
    },
    Guide {
        anchor: "guide-pages",
        title: "All pages of a list",
        lead: "Two lists come in pages; follow their links.",
        commands: include_str!("guides/pages.sh"),
    },
    Guide {
        anchor: "guide-repeat",
        title: "Repeating a request safely",
        lead: "Any POST on this page that carries the account's token may carry a key that makes its repetition harmless.",
        commands: include_str!("guides/repeat.sh"),
    },
];

/// The page for a server described by `openapi`.
pub(crate) fn routes(site: &Site, openapi: &Value) -> Result<Router, DescriptionError> {
    let page = Docs {
        shell: Shell::new(site, Section::Docs),
        public_url: &site.public_url,
        guides: GUIDES,
        groups: description::groups(openapi)?,
    };
    let html = page.render().expect("the template writes to memory only");
    let document = Document::page(html, &Policy::default());
    Ok(Router::new().route(
        "/docs",
        get(move |headers: HeaderMap| async move { document.answer(&headers) }),
    ))
}

#[cfg(test)]
mod tests {
    use super::GUIDES;

    #[test]
    fn anchors_are_unique() {
        let mut anchors: Vec<_> = GUIDES.iter().map(|guide| guide.anchor).collect();
        anchors.sort_unstable();
        anchors.dedup();
        assert_eq!(anchors.len(), GUIDES.len());
    }
}
