//! A Singer tap as a source: one run of its program for each thing that is asked of it.

mod program_file;
mod session;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::{
    ConnectorError, ErrorKind, LogLevel, SettingsStore, Tap, TapCatalog, TapContext, TapRead,
    TapSender,
};
use serde_json::{Map, Value};

use crate::catalog;
use crate::environment::TapEnvironment;
use crate::launch::Launcher;
use crate::limits::TapLimits;
use crate::log::TapLog;
use crate::process::{Collected, Decoded};
use crate::program::TapProgram;
use crate::redact::Redactor;
use crate::settings_file::Mutable;
use crate::user::TapUser;
use session::{Files, Session};

/// What is the same for all taps of a server.
#[derive(Clone, Debug)]
pub struct TapHost {
    pub launcher: Launcher,
    /// Whom taps run as; otherwise as this process. [`TapUser::check`] says whether that can be.
    pub user: Option<TapUser>,
    /// Where the private directories of runs are made. No tap gets into those of others.
    pub directory: PathBuf,
    /// No tap gets in here, but for its own directories inside: the server's data directory.
    pub forbidden: Vec<PathBuf>,
    pub environment: TapEnvironment,
    /// Whether each run has a home of its own, where it works. Otherwise both are those of this process, as for whoever runs
    /// a tap of his own by hand.
    pub private_home: bool,
}

/// One source's tap.
pub struct TapSettings {
    pub program: TapProgram,
    /// With the tap's own names and types.
    pub config: Map<String, Value>,
    /// Values that nobody may see.
    pub secrets: Vec<String>,
    /// Settings that the tap may replace in its configuration file, and where the new values are kept.
    pub mutable: Vec<Mutable>,
    pub store: Option<Arc<dyn SettingsStore>>,
    pub limits: TapLimits,
}

/// A Singer tap. Each discovery and each reading starts its program anew.
pub struct SingerTap {
    shared: Arc<Shared>,
}

/// What a run needs, kept by the run too, which may outlive the one who asked for it.
struct Shared {
    host: TapHost,
    program: TapProgram,
    config: Map<String, Value>,
    mutable: Arc<[Mutable]>,
    store: Option<Arc<dyn SettingsStore>>,
    limits: TapLimits,
    redactor: Arc<Redactor>,
}

impl SingerTap {
    pub fn new(host: TapHost, settings: TapSettings) -> Self {
        let redactor = Arc::new(Redactor::new(settings.secrets));
        // Whatever a tap may replace is a credential.
        for setting in &settings.mutable {
            if let Some(value) = settings.config.get(&setting.config_key) {
                redactor.learn_value(value);
            }
        }
        Self {
            shared: Arc::new(Shared {
                host,
                program: settings.program,
                config: settings.config,
                mutable: Arc::from(settings.mutable),
                store: settings.store,
                limits: settings.limits,
                redactor,
            }),
        }
    }

    /// Knows the tap's secrets, also those that it has replaced since.
    pub fn redactor(&self) -> &Redactor {
        &self.shared.redactor
    }

    fn log(&self, ctx: &TapContext) -> TapLog {
        TapLog {
            sink: Arc::clone(&ctx.log),
            redactor: Arc::clone(&self.shared.redactor),
        }
    }

    fn clean<T>(&self, outcome: Result<T, ConnectorError>) -> Result<T, ConnectorError> {
        outcome.map_err(|error| self.shared.redactor.redact_error(error))
    }

    async fn discover_unredacted(&self, ctx: &TapContext) -> Result<TapCatalog, ConnectorError> {
        let log = self.log(ctx);
        let session = Session {
            shared: Arc::clone(&self.shared),
            stop: ctx.stop.clone(),
            log: log.clone(),
            files: Files::Discovery,
            usually: ErrorKind::Configuration,
        };
        let collected = Collected::new(self.shared.limits.catalog_bytes);
        let text = session.run(|_| collected).await?.into_text();
        let (catalog, lines) = blocking(move || {
            let (document, lines) = catalog::parse(&text)?;
            Ok((catalog::offer(document)?, lines))
        })
        .await?;
        if lines > 0 {
            let text =
                format!("the tap printed {lines} lines before its catalogue, which do not count");
            log.say(LogLevel::Warning, &text);
        }
        Ok(catalog)
    }

    async fn read_unredacted(
        &self,
        ctx: TapContext,
        read: TapRead,
        out: TapSender,
    ) -> Result<(), ConnectorError> {
        let log = self.log(&ctx);
        let catalog = blocking(move || {
            let catalog = catalog::choose(read.document, &read.selected)?;
            Ok((catalog, read.state))
        });
        let (catalog, state) = catalog.await?;
        let shared = Arc::clone(&self.shared);
        let session = Session {
            shared: Arc::clone(&self.shared),
            stop: ctx.stop.clone(),
            log: log.clone(),
            files: Files::Reading { catalog, state },
            usually: ErrorKind::Data,
        };
        let decoded = move |directory: &Path| {
            let mut messages = shared.limits.messages.clone();
            messages.batch_directory = Some(directory.to_owned());
            Decoded::new(&shared.limits, messages, ctx, out, log)
        };
        session.run(decoded).await?;
        Ok(())
    }
}

#[async_trait]
impl Tap for SingerTap {
    async fn discover(&self, ctx: &TapContext) -> Result<TapCatalog, ConnectorError> {
        self.clean(self.discover_unredacted(ctx).await)
    }

    async fn read(
        &self,
        ctx: TapContext,
        read: TapRead,
        out: TapSender,
    ) -> Result<(), ConnectorError> {
        self.clean(self.read_unredacted(ctx, read, out).await)
    }
}

/// Work on documents of any size, beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ConnectorError::internal(format!("work for a tap crashed: {error}")))?
}
