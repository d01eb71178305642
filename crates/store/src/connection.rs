//! A source or a destination, where both are treated alike.

use selvedge_types::{DestinationId, SourceId};

/// What a job runs on, and what a fence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    Source(SourceId),
    Destination(DestinationId),
}

impl Connection {
    /// The bare number, as it stands in job names.
    pub fn id(self) -> i64 {
        match self {
            Connection::Source(id) => id.0,
            Connection::Destination(id) => id.0,
        }
    }

    /// `source` or `destination`, as stored.
    pub fn kind(self) -> &'static str {
        match self {
            Connection::Source(_) => "source",
            Connection::Destination(_) => "destination",
        }
    }

    pub(crate) fn parse(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "source" => Some(Connection::Source(SourceId(id))),
            "destination" => Some(Connection::Destination(DestinationId(id))),
            _ => None,
        }
    }
}

impl From<SourceId> for Connection {
    fn from(id: SourceId) -> Self {
        Connection::Source(id)
    }
}

impl From<DestinationId> for Connection {
    fn from(id: DestinationId) -> Self {
        Connection::Destination(id)
    }
}
