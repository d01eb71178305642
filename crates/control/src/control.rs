//! What every use case needs, in one handle.

use std::sync::Arc;

use selvedge_catalog::{Catalog, ConnectionKind, ConnectionType, OauthClients, Runs};
use selvedge_net::NetworkPolicy;
use selvedge_store::Store;
use selvedge_types::{AccountScope, Clock, SourceId, Timestamp, TokenId};

use crate::latest::Latest;
use crate::logs::JobLogs;
use crate::plans::Plans;
use crate::tokens::Identities;

/// The operator's choices that rules depend on.
#[derive(Clone)]
pub struct Settings {
    /// Where callers reach this server, without a slash at the end, for example `https://pipes.example.com`.
    pub public_url: String,
    /// Region of accounts that are created without one; `None` makes the field required.
    pub default_region: Option<String>,
    /// Live destinations that one account may have, unless its plan says otherwise.
    pub max_destinations: u64,
    /// What accounts may do.
    pub plans: Plans,
    /// Whether hooks may be called over plain HTTP.
    pub allow_http_hooks: bool,
    /// Where connections on behalf of tenants may lead.
    pub network: NetworkPolicy,
    /// Days that extractions, loads and logs stay visible.
    pub retention_days: u32,
    /// Client credentials with third parties, for connections whose user brings none.
    pub oauth_clients: OauthClients,
    /// Key of the signatures on addresses of logs; derived from the master key, so that every node has the same.
    pub log_signing_key: [u8; 32],
}

/// Which types run here: the registry of connectors knows.
pub trait Availability: Send + Sync {
    fn runs(&self, kind: ConnectionKind, type_name: &str) -> Runs;
}

impl<F: Fn(ConnectionKind, &str) -> Runs + Send + Sync> Availability for F {
    fn runs(&self, kind: ConnectionKind, type_name: &str) -> Runs {
        self(kind, type_name)
    }
}

/// The first argument of every use case. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    availability: Arc<dyn Availability>,
    logs: Arc<dyn JobLogs>,
    settings: Settings,
    token_use: Latest<TokenId>,
    /// Rows, by the source that they were pushed for.
    received: Latest<(AccountScope, SourceId)>,
    identities: Identities,
}

impl Control {
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        availability: Arc<dyn Availability>,
        logs: Arc<dyn JobLogs>,
        settings: Settings,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                availability,
                logs,
                settings,
                token_use: Latest::default(),
                received: Latest::default(),
                identities: Identities::default(),
            }),
        }
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What runs a type on this server.
    pub fn runs(&self, connection_type: &ConnectionType) -> Runs {
        self.inner
            .availability
            .runs(connection_type.kind(), connection_type.name())
    }

    pub(crate) fn catalog(&self) -> &'static Catalog {
        Catalog::global()
    }

    pub(crate) fn logs(&self) -> &dyn JobLogs {
        &*self.inner.logs
    }

    pub(crate) fn token_use(&self) -> &Latest<TokenId> {
        &self.inner.token_use
    }

    pub(crate) fn received(&self) -> &Latest<(AccountScope, SourceId)> {
        &self.inner.received
    }

    pub(crate) fn identities(&self) -> &Identities {
        &self.inner.identities
    }

    /// The instant before which ended jobs and loads are no longer shown.
    pub(crate) fn retention_start(&self) -> Timestamp {
        self.days_ago(self.inner.settings.retention_days)
    }

    pub(crate) fn days_ago(&self, days: u32) -> Timestamp {
        self.now().plus_seconds(-i64::from(days) * 86_400)
    }
}
