//! Which rows a reader asks for. `search.js` does the same in the browser while somebody types.

use selvedge_catalog::reference::Connection;
use selvedge_catalog::{ConnectionKind, Runs};
use serde::Deserialize;

/// The query of the page. What is not understood asks for everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    /// Words that must all occur in a row, whatever their case.
    pub(super) q: String,
    /// `source` or `destination`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// `runs`, `supported` or `unsupported`.
    pub(super) support: String,
}

impl Search {
    pub(super) fn is_empty(&self) -> bool {
        self.q.trim().is_empty() && self.kind.is_empty() && self.support.is_empty()
    }

    pub(super) fn finds(&self, connection: &Connection) -> bool {
        let kind = match self.kind.as_str() {
            "source" => connection.connection_type == ConnectionKind::Source,
            "destination" => connection.connection_type == ConnectionKind::Destination,
            _ => true,
        };
        let support = match self.support.as_str() {
            "runs" => connection.is_supported() && connection.runs != Runs::NotYet,
            "supported" => connection.is_supported(),
            "unsupported" => !connection.is_supported(),
            _ => true,
        };
        kind && support && {
            let text = text(connection).to_lowercase();
            self.q
                .to_lowercase()
                .split_whitespace()
                .all(|word| text.contains(word))
        }
    }
}

/// What a row shows.
fn text(connection: &Connection) -> String {
    format!(
        "{} {} {} {}",
        connection.title(),
        kind_name(connection.connection_type),
        connection.property.unwrap_or("Unsupported"),
        runs_name(connection.runs)
    )
}

pub(super) fn kind_name(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::Source => "Source",
        ConnectionKind::Destination => "Destination",
    }
}

pub(super) fn runs_name(runs: Runs) -> &'static str {
    match runs {
        Runs::Native => "native",
        Runs::Singer => "singer",
        Runs::Push => "push",
        Runs::NotYet => "not yet",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(property: Option<&'static str>, runs: Runs) -> Connection {
        Connection {
            display_name: "Google CloudSQL PostgreSQL",
            version: "1",
            connection_type: ConnectionKind::Source,
            property,
            runs,
            listed: true,
        }
    }

    fn finds(query: &str, connection: &Connection) -> bool {
        serde_json::from_value::<Search>(serde_json::json!({ "q": query }))
            .unwrap()
            .finds(connection)
    }

    #[test]
    fn every_word_must_occur_somewhere_in_the_row() {
        let supported = row(Some("platform.hp-cloudsql-pg"), Runs::Native);
        for query in [
            "",
            "  ",
            "POSTGRES",
            "google (v1)",
            "hp-cloudsql",
            "source native",
            "sql goo",
        ] {
            assert!(finds(query, &supported), "{query}");
        }
        for query in ["mysql", "google v2", "unsupported", "destination"] {
            assert!(!finds(query, &supported), "{query}");
        }
        assert!(finds("unsupp", &row(None, Runs::NotYet)));
    }

    #[test]
    fn filters_narrow_and_unknown_ones_do_not() {
        let search = |kind: &str, support: &str| Search {
            q: String::new(),
            kind: kind.to_owned(),
            support: support.to_owned(),
        };
        let (native, later) = (row(Some("a"), Runs::Native), row(Some("a"), Runs::NotYet));
        let missing = row(None, Runs::NotYet);
        assert!(
            search("source", "runs").finds(&native) && !search("destination", "").finds(&native)
        );
        assert!(!search("", "runs").finds(&later) && search("", "supported").finds(&later));
        assert!(
            search("", "unsupported").finds(&missing) && !search("", "supported").finds(&missing)
        );
        assert!(search("x", "y").finds(&missing));
    }
}
