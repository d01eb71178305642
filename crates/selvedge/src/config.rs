//! Settings of the server: a TOML file, with flags and environment variables on top.
//!
//! One struct per section, each with its defaults; unknown keys are refused, so that a typing error is not a silent default.

mod api;
mod intake;
mod taps;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use selvedge_catalog::{Catalog, OauthClients};
use selvedge_control::plans::{Features, Plans};
use selvedge_net::{Network, NetworkPolicy};
use selvedge_types::Secret;
use serde::Deserialize;

pub(crate) use api::ApiSettings;
pub(crate) use intake::IntakeSettings;
pub(crate) use taps::TapsSettings;

use crate::cli::{ServeArguments, StateArguments};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConfigFile {
    data_dir: Option<PathBuf>,
    server: ServerSection,
    api: api::ApiSection,
    intake: intake::IntakeSection,
    network: NetworkSection,
    jobs: JobsSection,
    accounts: AccountsSection,
    plans: BTreeMap<String, PlanSection>,
    hooks: HooksSection,
    local_files: LocalFilesSection,
    oauth: OauthSection,
    brand: BrandSection,
    log: LogSection,
    taps: taps::TapsSection,
}

/// `[server]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServerSection {
    /// Address and port; port 0 picks a free one.
    listen: Option<String>,
    /// Base of links in answers, and what clients connect to.
    public_url: Option<String>,
    /// A TLS terminator in front forwards plain HTTP.
    trust_proxy: Option<bool>,
    /// Certificate chain and key (PEM files): serve HTTPS ourselves.
    tls_certificate: Option<PathBuf>,
    tls_key: Option<PathBuf>,
}

/// `[network]`: which addresses tenants' connections may reach, in CIDR form. Link-local addresses never.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NetworkSection {
    allow: Vec<String>,
    deny: Vec<String>,
}

/// `[jobs]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobsSection {
    /// Sources replicated at the same time.
    pub(crate) concurrency: u32,
    /// A job that runs longer is terminated.
    pub(crate) time_limit_minutes: u32,
    /// How long job records and logs are kept.
    pub(crate) retention_days: u32,
    /// What a job has read is committed and its position saved after so many seconds, or when there is much of it: a lost
    /// server repeats no more than that.
    pub(crate) checkpoint_seconds: u32,
}

impl Default for JobsSection {
    fn default() -> Self {
        Self {
            concurrency: 4,
            time_limit_minutes: 24 * 60,
            retention_days: 60,
            checkpoint_seconds: 30,
        }
    }
}

/// `[accounts]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountsSection {
    /// Region of accounts created without one: `us-east-1` or `eu-central-1`.
    pub(crate) default_region: Option<String>,
    /// Destinations one account may have, unless its plan says otherwise.
    pub(crate) max_destinations: u32,
    /// The plan that new accounts are put on. None by default: they may do everything.
    default_plan: Option<String>,
}

impl Default for AccountsSection {
    fn default() -> Self {
        Self {
            default_region: None,
            max_destinations: 10,
            default_plan: None,
        }
    }
}

/// `[plans.NAME]`: what accounts on a plan may do. What is not mentioned is on; accounts without a plan may do everything.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PlanSection {
    /// Whether access tokens are accepted.
    api_access: bool,
    /// Destinations an account may have, instead of `accounts.max_destinations`.
    destinations: Option<u32>,
    /// Whether sources may have a `cron_expression`. Sources of accounts that lose it are paused.
    cron_scheduling: bool,
    /// Whether custom e-mails may be added.
    custom_emails: bool,
    /// Whether hooks may be added.
    hooks: bool,
    /// Whether connections of the tier `enterprise` may be created.
    enterprise_types: bool,
    /// Days after a job's end that its log can be read; never longer than `jobs.retention_days`.
    log_retention_days: Option<u32>,
}

impl Default for PlanSection {
    fn default() -> Self {
        Self {
            api_access: true,
            destinations: None,
            cron_scheduling: true,
            custom_emails: true,
            hooks: true,
            enterprise_types: true,
            log_retention_days: None,
        }
    }
}

impl From<PlanSection> for Features {
    fn from(section: PlanSection) -> Self {
        Self {
            api_access: section.api_access,
            max_destinations: section.destinations.map(u64::from),
            cron_scheduling: section.cron_scheduling,
            custom_emails: section.custom_emails,
            hooks: section.hooks,
            enterprise_types: section.enterprise_types,
            log_retention_days: section.log_retention_days,
        }
    }
}

/// `[hooks]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HooksSection {
    /// Whether hooks may be called over plain HTTP. On by default while the server listens on loopback.
    allow_http: Option<bool>,
    /// Seconds before a call that failed is made again, for each repetition; at most five.
    retry_after_seconds: Vec<u32>,
}

impl Default for HooksSection {
    fn default() -> Self {
        Self {
            allow_http: None,
            retry_after_seconds: vec![5, 30, 120, 600, 1_800],
        }
    }
}

/// Times that a call of a hook is repeated, at most.
const MOST_HOOK_RETRIES: usize = 5;

impl HooksSection {
    fn retry_after(&self) -> anyhow::Result<Vec<Duration>> {
        let seconds = &self.retry_after_seconds;
        ensure!(
            seconds.len() <= MOST_HOOK_RETRIES,
            "hooks.retry_after_seconds: calls of hooks are repeated {MOST_HOOK_RETRIES} times at most"
        );
        let pauses = seconds.iter().copied().map(u64::from);
        Ok(pauses.map(Duration::from_secs).collect())
    }
}

/// `[local_files]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LocalFilesSection {
    /// Directories from which file sources (`platform.sqlite`) may read. None by default.
    allowed_directories: Vec<PathBuf>,
}

/// `[brand]`: what people see instead of our name.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BrandSection {
    /// Name of the product in pages and messages. The API's literal texts stay as they are.
    pub(crate) name: String,
}

impl Default for BrandSection {
    fn default() -> Self {
        Self {
            name: "Selvedge".to_owned(),
        }
    }
}

/// `[oauth]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OauthSection {
    /// `[oauth.clients."platform.asana"]`: values of the type's `oauth` step that its users need not send, above all
    /// `client_id` and `client_secret`. Not for types whose users name the host that is asked for tokens (`domain`,
    /// `auth_base_url`): there a tenant could have the operator's secret sent to himself.
    clients: BTreeMap<String, BTreeMap<String, ConfiguredSecret>>,
}

/// A secret in the configuration file.
#[derive(Clone, Debug)]
struct ConfiguredSecret(Secret);

impl<'de> Deserialize<'de> for ConfiguredSecret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

impl OauthSection {
    fn checked(self) -> anyhow::Result<OauthClients> {
        let bare = |(name, ConfiguredSecret(value))| (name, value);
        let clients = self
            .clients
            .into_iter()
            .map(|(type_name, values)| (type_name, values.into_iter().map(bare).collect()))
            .collect();
        OauthClients::new(Catalog::global(), clients).context("oauth.clients")
    }
}

/// `[log]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogSection {
    filter: Option<String>,
}

/// Where the state is.
#[derive(Clone, Debug)]
pub(crate) struct StateSettings {
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: Option<String>,
    pub(crate) master_key: Option<String>,
}

/// Everything `serve` needs, checked.
#[derive(Clone, Debug)]
pub(crate) struct ServeSettings {
    pub(crate) state: StateSettings,
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Option<String>,
    /// Certificate chain and key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) api: ApiSettings,
    pub(crate) intake: IntakeSettings,
    pub(crate) network: NetworkPolicy,
    pub(crate) jobs: JobsSection,
    pub(crate) accounts: AccountsSection,
    pub(crate) plans: Plans,
    pub(crate) allow_http_hooks: bool,
    /// Pauses before calls of hooks are repeated.
    pub(crate) hook_retry_after: Vec<Duration>,
    pub(crate) allowed_directories: Vec<PathBuf>,
    pub(crate) oauth_clients: OauthClients,
    pub(crate) taps: TapsSettings,
    pub(crate) brand: BrandSection,
    pub(crate) log_filter: String,
}

/// Default log filter: our own words, and only trouble from libraries.
const LOG_FILTER: &str = "info,sqlx=warn,hyper=warn,tokio_postgres=warn";

fn read_file(path: Option<&Path>) -> anyhow::Result<ConfigFile> {
    let Some(path) = path else {
        return Ok(ConfigFile::default());
    };
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "the configuration file {} could not be read",
            path.display()
        )
    })?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration file {} is not valid", path.display()))
}

fn state(arguments: &StateArguments, file: &ConfigFile) -> StateSettings {
    let data_dir = arguments.data_dir.clone().or_else(|| file.data_dir.clone());
    StateSettings {
        data_dir: data_dir.unwrap_or_else(|| PathBuf::from("./selvedge-data")),
        database_url: arguments.database_url.clone().filter(|url| !url.is_empty()),
        master_key: arguments.master_key.clone().filter(|key| !key.is_empty()),
    }
}

impl StateSettings {
    /// For the commands that only touch the state.
    pub(crate) fn load(arguments: &StateArguments) -> anyhow::Result<Self> {
        let file = read_file(arguments.config.as_deref())?;
        let state = state(arguments, &file);
        // For the operator's source types: accounts have sources of them.
        TapsSettings::check(file.taps, &state.data_dir)?;
        Ok(state)
    }
}

/// What the file says of taps, for the commands that manage them.
pub(crate) fn load_taps(arguments: &StateArguments) -> anyhow::Result<TapsSettings> {
    let file = read_file(arguments.config.as_deref())?;
    let state = state(arguments, &file);
    TapsSettings::check(file.taps, &state.data_dir)
}

/// The plans of the configuration file, for the command that puts accounts on them.
pub(crate) fn load_plans(arguments: &StateArguments) -> anyhow::Result<Plans> {
    let file = read_file(arguments.config.as_deref())?;
    plans(file.plans, file.accounts.default_plan)
}

fn plans(
    sections: BTreeMap<String, PlanSection>,
    default: Option<String>,
) -> anyhow::Result<Plans> {
    let by_name = sections
        .into_iter()
        .map(|(name, section)| (name, section.into()))
        .collect();
    Plans::new(by_name, default).context("accounts.default_plan")
}

impl ServeSettings {
    /// Merges flags, environment, file and defaults, in this order of precedence, and checks the result.
    pub(crate) fn load(arguments: &ServeArguments) -> anyhow::Result<Self> {
        let file = read_file(arguments.state.config.as_deref())?;
        let state = state(&arguments.state, &file);
        // First of all: what follows reads the catalogue, which gets the operator's source types here.
        let taps = TapsSettings::check(file.taps, &state.data_dir)?;
        let listen = arguments
            .listen
            .clone()
            .or_else(|| file.server.listen.clone());
        let listen = listen
            .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
            .replace("localhost:", "127.0.0.1:");
        let listen: SocketAddr = listen.parse().with_context(|| {
            format!("{listen:?} is not an address to listen on; try 127.0.0.1:8080")
        })?;
        let public_url = arguments
            .public_url
            .clone()
            .or_else(|| file.server.public_url.clone());
        let public_url = public_url
            .map(|url| url.trim_end_matches('/').to_owned())
            .filter(|url| !url.is_empty());
        if let Some(url) = &public_url
            && !url.starts_with("http://")
            && !url.starts_with("https://")
        {
            bail!("the public URL {url:?} must start with https:// or http://");
        }
        let trust_proxy = arguments
            .trust_proxy
            .or(file.server.trust_proxy)
            .unwrap_or(false);
        let tls = match (
            file.server.tls_certificate.clone(),
            file.server.tls_key.clone(),
        ) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => bail!("server.tls_certificate and server.tls_key go together"),
        };
        if !listen.ip().is_loopback() && !trust_proxy && tls.is_none() {
            bail!(
                "refusing to serve plain HTTP on {listen}: set server.tls_certificate and server.tls_key in the \
                 configuration file, or put a TLS terminator in front and set SELVEDGE_TRUST_PROXY=true, or listen on 127.0.0.1"
            );
        }
        let jobs = &file.jobs;
        if [
            jobs.concurrency,
            jobs.time_limit_minutes,
            jobs.checkpoint_seconds,
        ]
        .contains(&0)
        {
            bail!(
                "jobs.concurrency, jobs.time_limit_minutes and jobs.checkpoint_seconds must be at least 1"
            );
        }
        // Private networks are open to tenants only while the server is somebody's own toy: on loopback, behind nothing.
        let private = listen.ip().is_loopback() && public_url.is_none() && !trust_proxy;
        let network = NetworkPolicy {
            private,
            allow: networks("network.allow", &file.network.allow)?,
            deny: networks("network.deny", &file.network.deny)?,
        };
        Ok(Self {
            state,
            listen,
            public_url,
            tls,
            api: ApiSettings::check(file.api)?,
            intake: IntakeSettings::check(file.intake)?,
            network,
            log_filter: arguments
                .log
                .clone()
                .or(file.log.filter)
                .unwrap_or_else(|| LOG_FILTER.to_owned()),
            jobs: file.jobs,
            plans: plans(file.plans, file.accounts.default_plan.clone())?,
            hook_retry_after: file.hooks.retry_after()?,
            allow_http_hooks: file
                .hooks
                .allow_http
                .unwrap_or_else(|| listen.ip().is_loopback()),
            accounts: file.accounts,
            allowed_directories: file.local_files.allowed_directories,
            oauth_clients: file.oauth.checked()?,
            taps,
            brand: file.brand,
        })
    }
}

fn networks(key: &str, texts: &[String]) -> anyhow::Result<Vec<Network>> {
    texts
        .iter()
        .map(|text| text.parse().with_context(|| format!("{key}: {text:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn settings(arguments: &[&str], file: Option<&str>) -> anyhow::Result<ServeSettings> {
        let directory =
            std::env::temp_dir().join(format!("selvedge-config-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let mut line: Vec<String> = ["selvedge", "serve"]
            .iter()
            .chain(arguments)
            .map(|word| (*word).to_owned())
            .collect();
        if let Some(text) = file {
            let path = directory.join(format!("{:x}.toml", text.len()));
            std::fs::write(&path, text)?;
            line.extend(["--config".to_owned(), path.display().to_string()]);
        }
        match Cli::parse_from(line).command {
            Command::Serve(arguments) => ServeSettings::load(&arguments),
            _ => unreachable!("the line says serve"),
        }
    }

    #[test]
    fn with_nothing_given_it_listens_on_loopback() {
        let settings = settings(&[], None).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert!(settings.network.private);
    }

    #[test]
    fn plain_http_beyond_loopback_is_refused_with_what_to_set() {
        let error = settings(&["--listen", "0.0.0.0:8080"], None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("SELVEDGE_TRUST_PROXY"), "{error}");
        let behind = settings(&["--listen", "0.0.0.0:8080", "--trust-proxy"], None).unwrap();
        assert!(
            !behind.network.private,
            "behind a proxy, private networks need network.allow"
        );
    }

    #[test]
    fn flags_win_over_the_file_and_unknown_keys_are_refused() {
        let file = "[server]\nlisten = \"127.0.0.1:9000\"\n[jobs]\nconcurrency = 2\n";
        assert_eq!(settings(&[], Some(file)).unwrap().listen.port(), 9000);
        let both = settings(&["--listen", "127.0.0.1:9001"], Some(file)).unwrap();
        assert_eq!((both.listen.port(), both.jobs.concurrency), (9001, 2));
        let error = format!(
            "{:#}",
            settings(&[], Some("[server]\nlisten_on = \"x\"\n")).unwrap_err()
        );
        assert!(error.contains("listen_on"), "{error}");
    }

    #[test]
    fn client_credentials_are_checked_and_not_shown() {
        let file = "[oauth.clients.\"platform.asana\"]\nclient_id = \"ours\"\nclient_secret = \"hunter2\"\n";
        let settings = settings(&[], Some(file)).unwrap();
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("client_secret") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn client_credentials_of_a_type_without_oauth_are_refused() {
        let file = "[oauth.clients.\"platform.github\"]\naccess_token = \"hunter2\"\n";
        let error = format!("{:#}", settings(&[], Some(file)).unwrap_err());
        assert_eq!(
            error,
            "oauth.clients: no type \"platform.github\" has an oauth step"
        );
    }

    #[test]
    fn plans_say_only_what_they_take_away() {
        let file = "[plans.basic]\nhooks = false\ndestinations = 1\nlog_retention_days = 7\n\
                    [plans.full]\n[accounts]\ndefault_plan = \"basic\"\n";
        let plans = settings(&[], Some(file)).unwrap().plans;
        assert_eq!(plans.default_plan(), Some("basic"));
        assert_eq!(
            plans.features(Some("basic")).unwrap(),
            &Features {
                hooks: false,
                max_destinations: Some(1),
                log_retention_days: Some(7),
                ..Features::default()
            }
        );
        assert_eq!(plans.features(Some("full")).unwrap(), &Features::default());

        for (file, named) in [
            ("[accounts]\ndefault_plan = \"large\"\n", "large"),
            ("[plans.basic]\nhook = false\n", "hook"),
        ] {
            let error = format!("{:#}", settings(&[], Some(file)).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn hooks_may_be_plain_http_on_loopback_or_when_the_operator_says_so() {
        let allowed =
            |arguments: &[&str], file| settings(arguments, file).unwrap().allow_http_hooks;
        let beyond = &["--listen", "0.0.0.0:8080", "--trust-proxy"];
        assert!(allowed(&[], None));
        assert!(!allowed(beyond, None));
        assert!(!allowed(&[], Some("[hooks]\nallow_http = false\n")));
        assert!(allowed(beyond, Some("[hooks]\nallow_http = true\n")));
    }

    #[test]
    fn calls_of_hooks_are_repeated_five_times_at_most() {
        let seconds = |file| {
            let settings = settings(&[], file)?;
            let pauses = settings.hook_retry_after.iter();
            anyhow::Ok(pauses.map(Duration::as_secs).collect::<Vec<_>>())
        };
        assert_eq!(seconds(None).unwrap(), [5, 30, 120, 600, 1_800]);
        let own = "[hooks]\nretry_after_seconds = [1, 2]\n";
        assert_eq!(seconds(Some(own)).unwrap(), [1, 2]);
        let none = "[hooks]\nretry_after_seconds = []\n";
        assert!(seconds(Some(none)).unwrap().is_empty());
        let six = "[hooks]\nretry_after_seconds = [1, 1, 1, 1, 1, 1]\n";
        assert!(seconds(Some(six)).is_err());
    }
}
