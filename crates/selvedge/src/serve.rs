//! `selvedge serve`: puts the parts together, runs them, and takes them apart in order.

use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::response::IntoResponse as _;
use axum::serve::ListenerExt as _;
use selvedge_api::AppState;
use selvedge_catalog::{Catalog, ConnectionKind, ConnectionType, Runs};
use selvedge_connectors::{LocalFiles, Registry, SourceFiles};
use selvedge_control::{Control, Settings, plans};
use selvedge_engine::RunLimits;
use selvedge_gate::Gate;
use selvedge_jobs::{Delivery, DeliverySettings, LaneRunner, LogDirectory, Runner, RunnerSettings};
use selvedge_net::Dialer;
use selvedge_spool::IntakeLog;
use selvedge_store::partners;
use selvedge_types::Clock;
use selvedge_web::Site;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::cli::ServeArguments;
use crate::clock::SystemClock;
use crate::config::ServeSettings;
use crate::http;
use crate::intake;
use crate::reference;
use crate::state::State;
use crate::taps;
use crate::telemetry;
use crate::tls::{self, TlsListener};

/// Time one attempt to connect to a tenant's database may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the times of last use of tokens are written down.
const TOKEN_USE_EVERY: Duration = Duration::from_secs(60);
/// How often it is written down when sources last received rows: a server that is killed forgets what came since.
const RECEIVED_EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn run(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let settings = ServeSettings::load(&arguments)?;
    telemetry::init(&settings.log_filter)?;
    let data_dir = settings.state.data_dir.clone();
    let metrics = telemetry::metrics_route(telemetry::metrics()?);
    // Before anybody can know that the server is there: a signal must never find its default action.
    let signals = Signals::listen()?;
    let server = Server::start(settings, metrics).await?;
    eprintln!(
        "Selvedge {} listens on {}; next: selvedge partner create --name NAME --data-dir {}",
        env!("CARGO_PKG_VERSION"),
        server.url(),
        data_dir.display()
    );
    server.until_interrupted(signals).await?;
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and SIGINT, noticed from [`Signals::listen`] on.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let of = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A running server.
pub(crate) struct Server {
    control: Control,
    url: String,
    /// Ends the listener and lets jobs stop at their next checkpoint.
    stop: CancellationToken,
    /// Ends jobs at once.
    abort: CancellationToken,
    api: JoinHandle<()>,
    runner: JoinHandle<()>,
    lanes: JoinHandle<()>,
    intake_log: Arc<dyn IntakeLog>,
    delivery: JoinHandle<()>,
    last_seen: JoinHandle<()>,
    neighbours: JoinHandle<()>,
    /// Held as long as the server lives: one server per data directory.
    _lock: File,
}

impl Server {
    /// Opens the state, binds the address and starts everything.
    ///
    /// `beside` holds routes that are neither part of the API nor pages.
    pub(crate) async fn start(settings: ServeSettings, beside: Router) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let directory = crate::data_dir::DataDir::prepare(&settings.state.data_dir)?;
        let lock = directory.lock()?;
        let state = State::open(&settings.state).await?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("could not listen on {}", settings.listen))?;
        let scheme = if settings.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let url = format!(
            "{scheme}://{}",
            listener
                .local_addr()
                .context("the listener has no address")?
        );
        let tls = settings
            .tls
            .as_ref()
            .map(|(certificate, key)| tls::server_config(certificate, key))
            .transpose()?;

        let logs = LogDirectory::new(directory.logs());
        let registry = Registry::new(LocalFiles {
            sources: SourceFiles {
                allowed_directories: settings.allowed_directories.clone(),
                forbidden: vec![directory.root().to_owned()],
            },
            warehouses: directory.warehouses(),
            exports: directory.exports(),
            spool: directory.spool(),
        });
        let taps = taps::runtime(&settings, &directory)?;
        let registry = registry.with_taps(taps.clone());
        let serves = Arc::clone(&taps.taps);
        let control = Control::new(
            state.store.clone(),
            Arc::clone(&clock),
            Arc::new(move |kind, type_name: &str| {
                runs(kind, type_name, &|type_name| serves.serves(type_name))
            }),
            Arc::new(logs.clone()),
            Settings {
                public_url: settings.public_url.clone().unwrap_or_else(|| url.clone()),
                default_region: settings.accounts.default_region.clone(),
                max_destinations: u64::from(settings.accounts.max_destinations),
                plans: settings.plans.clone(),
                allow_http_hooks: settings.allow_http_hooks,
                network: settings.network.clone(),
                retention_days: settings.jobs.retention_days,
                oauth_clients: settings.oauth_clients.clone(),
                log_signing_key: state.master_key.derive("log addresses"),
            },
        );

        plans::enforce(&control).await.context(
            "every account must be on a plan that the configuration file defines, or on none: define the plan, or run \
             `selvedge account plan` (`selvedge account list` shows who is on it)",
        )?;

        let intake_log = intake::open_log(
            &directory,
            &state.master_key,
            &settings.intake,
            &clock,
            control.store(),
        )
        .await?;
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let dialer = Dialer::new(settings.network.clone(), CONNECT_TIMEOUT);
        let lanes = LaneRunner::new(
            control.clone(),
            registry.clone(),
            dialer.clone(),
            Arc::clone(&clock),
            Arc::clone(&intake_log),
            settings.intake.lanes(),
        );
        let lanes = tokio::spawn(lanes.run(stop.clone(), abort.clone()));
        // The lock proves that no other server runs on an embedded store, so its leases are nobody's.
        let sole_worker = settings.state.database_url.is_none();
        let delivery = Delivery::new(
            control.clone(),
            dialer.clone(),
            Arc::clone(&clock),
            DeliverySettings {
                retry_after: settings.hook_retry_after.clone(),
                sole_worker,
            },
        )?;
        let delivery = tokio::spawn(delivery.run(stop.clone(), abort.clone()));
        let runner = Runner::new(
            control.clone(),
            registry,
            dialer,
            clock,
            logs,
            RunnerSettings {
                worker: format!("{}:{}", std::process::id(), uuid::Uuid::new_v4().simple()),
                sole_worker,
                concurrency: settings.jobs.concurrency,
                time_limit: Duration::from_secs(u64::from(settings.jobs.time_limit_minutes) * 60),
                limits: RunLimits {
                    checkpoint_seconds: i64::from(settings.jobs.checkpoint_seconds),
                    ..RunLimits::default()
                },
            },
        );
        let runner = tokio::spawn(runner.run(stop.clone(), abort.clone()));
        let site = Site {
            brand: settings.brand.name.clone(),
            public_url: control.settings().public_url.clone(),
        };
        let api = settings.api.apply(AppState::new(control.clone()));
        let pushed = selvedge_gate::description();
        let description = selvedge_api::description(&api, pushed.clone())?;
        let pages = selvedge_web::router(&site, &description, move || {
            reference::connections(&|name| taps.taps.serves(name))
        })?
        .merge(selvedge_web::authorization(&site, control.clone()));
        let router = selvedge_api::router(api, pages.merge(beside), pushed);
        let gate = Gate::new(
            control.clone(),
            Arc::clone(&intake_log),
            settings.intake.gate(),
        );
        // The gate first: its addresses are asked most by far.
        let front = Arc::new((gate, router));
        let answer = move |request| {
            let front = Arc::clone(&front);
            async move {
                let (gate, router) = &*front;
                match gate.answer(request).await {
                    Ok(response) => response,
                    Err(request) => router.clone().oneshot(request).await.into_response(),
                }
            }
        };
        let header_timeout = settings.api.header_timeout();
        let ended = stop.clone().cancelled_owned();
        let api = tokio::spawn(async move {
            match tls {
                Some(config) => {
                    let listener = TlsListener::new(listener, config);
                    http::serve(listener, answer, header_timeout, ended).await;
                }
                None => {
                    let listener = listener.tap_io(|stream| {
                        // Large answers end in a short segment that must not wait for an acknowledgement.
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "a connection keeps its small segments back");
                        }
                    });
                    http::serve(listener, answer, header_timeout, ended).await;
                }
            }
        });
        let last_seen = tokio::spawn(keep_last_seen(control.clone(), stop.clone()));
        let store = control.store().clone();
        let neighbours = tokio::spawn(async move { store.hear_others().await });
        Ok(Self {
            control,
            url,
            stop,
            abort,
            api,
            runner,
            lanes,
            intake_log,
            delivery,
            last_seen,
            neighbours,
            _lock: lock,
        })
    }

    /// `http://ADDRESS:PORT`, with the port that was picked.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// What `selvedge partner create` does, for the quickstart.
    pub(crate) async fn create_partner(&self, name: &str) -> anyhow::Result<(String, String)> {
        let mut tx = self.control.store().begin().await?;
        let (partner, secret) = partners::create(&mut tx, name, &[], self.control.now()).await?;
        tx.commit().await?;
        Ok((partner.id, secret.expose().to_owned()))
    }

    /// Serves until SIGTERM or SIGINT, then stops cleanly; a second signal ends at once.
    pub(crate) async fn until_interrupted(self, mut signals: Signals) -> anyhow::Result<()> {
        signals.next().await;
        tracing::info!("stopping: jobs end at their next checkpoint; a second signal ends at once");
        let abort = self.abort.clone();
        let stopping = self.stop();
        tokio::pin!(stopping);
        tokio::select! {
            stopped = &mut stopping => return stopped,
            () = signals.next() => {}
        }
        tracing::warn!("ending at once; what was not committed is repeated by the next run");
        abort.cancel();
        stopping.await
    }

    /// Stops listening, lets jobs reach their next checkpoint, and closes the store.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.runner.await.context("the job runner crashed")?;
        self.lanes.await.context("the lane runner crashed")?;
        self.delivery
            .await
            .context("the delivery of hooks crashed")?;
        // Clients that keep a connection open must not hold the server: what they asked for has been answered.
        let grace = Duration::from_secs(5);
        match tokio::time::timeout(grace, self.api).await {
            Ok(served) => served.context("the listener crashed")?,
            Err(_) => tracing::debug!("open connections were closed"),
        }
        self.intake_log.close().await;
        self.last_seen
            .await
            .context("the writer of times of last use crashed")?;
        // With what the last requests used and brought.
        write_token_use(&self.control).await;
        write_received(&self.control).await;
        self.control.store().close().await;
        self.neighbours
            .await
            .context("the listener for other servers crashed")?;
        Ok(())
    }
}

/// What runs a type here: the registry of connectors knows, the gate takes what is pushed, and taps serve the rest.
pub(crate) fn runs(kind: ConnectionKind, type_name: &str, has_tap: &dyn Fn(&str) -> bool) -> Runs {
    if kind == ConnectionKind::Destination {
        return match Registry::runs_destination(type_name) {
            true => Runs::Native,
            false => Runs::NotYet,
        };
    }
    let found = Catalog::global().source_type(type_name);
    if found.is_some_and(ConnectionType::is_pushed) {
        Runs::Push
    } else if Registry::runs_source(type_name) {
        Runs::Native
    } else if found.is_some_and(ConnectionType::is_scheduled) && has_tap(type_name) {
        Runs::Singer
    } else {
        Runs::NotYet
    }
}

async fn keep_last_seen(control: Control, stop: CancellationToken) {
    let mut token_use = tokio::time::interval(TOKEN_USE_EVERY);
    let mut received = tokio::time::interval(RECEIVED_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = token_use.tick() => write_token_use(&control).await,
            _ = received.tick() => write_received(&control).await,
        }
    }
}

async fn write_token_use(control: &Control) {
    if let Err(error) = selvedge_control::tokens::flush_use(control).await {
        tracing::warn!(%error, "times of last use of tokens could not be written; they are kept for the next try");
    }
}

async fn write_received(control: &Control) {
    if let Err(error) = selvedge_control::intake::flush_received(control).await {
        tracing::warn!(%error, "times when rows were received could not be written; they are kept for the next try");
    }
}
