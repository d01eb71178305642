//! The command line. Its help texts are the first documentation most people read.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// An embeddable data-pipeline server: provision accounts, connect sources and destinations over REST, and have the
/// data replicated.
#[derive(Debug, Parser)]
#[command(
    name = "selvedge",
    version,
    after_help = "Start here:\n  selvedge quickstart                      see the whole way once, with generated data\n  \
                  selvedge serve                           run the server on http://127.0.0.1:8080\n  \
                  selvedge partner create --name Acme      make the credentials that create accounts"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: the API, the scheduler and the jobs.
    Serve(ServeArguments),
    /// See the main job once: a server, a generated shop, a sync, an update, a check of the rows.
    Quickstart(QuickstartArguments),
    /// Copy tables once between two databases, without a server.
    Sync(SyncArguments),
    /// Manage partners: the API clients that may create accounts.
    Partner(PartnerArguments),
    /// Manage accounts and their access tokens.
    Account(AccountArguments),
    /// Manage the addresses that incoming webhooks are sent to.
    Webhook(WebhookArguments),
    /// Install Singer taps, the programs that read most source types, and look after them.
    Taps(TapsArguments),
    /// Print the connection property reference, to publish it elsewhere. The server shows it at /reference/connections.
    Reference(ReferenceArguments),
    /// Become a tap with fewer rights. The server starts its taps with it.
    #[command(name = crate::tap_launch::NAME, hide = true)]
    TapLaunch(crate::tap_launch::TapLaunchArguments),
}

/// Where the server keeps its state. The same for every command that works on it.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArguments {
    /// Directory of the embedded store, logs and warehouses; made on first start.
    #[arg(long, env = "SELVEDGE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML). Flags and environment variables win over it.
    #[arg(long, env = "SELVEDGE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// PostgreSQL database for the control plane instead of the embedded store: postgres://…
    #[arg(
        long,
        env = "SELVEDGE_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// Master key: 32 bytes in base64. Made on first start for the embedded store; required with a database URL.
    #[arg(
        long,
        env = "SELVEDGE_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true,
        hide = true
    )]
    pub(crate) master_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Address to listen on; port 0 picks a free one and prints it. [default: 127.0.0.1:8080]
    #[arg(long, env = "SELVEDGE_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Address under which clients reach the server, for links in answers: https://api.example.com
    #[arg(long, env = "SELVEDGE_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// A TLS terminator in front forwards plain HTTP: allows listening beyond loopback.
    #[arg(long, env = "SELVEDGE_TRUST_PROXY", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) trust_proxy: Option<bool>,
    /// Let debuggers attach and core dumps be written. They show the master key, to taps too where nothing else confines them.
    #[arg(long, env = "SELVEDGE_DUMPABLE", hide = true)]
    pub(crate) dumpable: bool,
    /// Log filter, for example `info` or `warn,selvedge_engine=debug`.
    #[arg(long, env = "SELVEDGE_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct QuickstartArguments {
    /// Read from this PostgreSQL database instead of a generated SQLite file; the shop is generated there, in schema `shop`.
    #[arg(long, value_name = "URL")]
    pub(crate) source: Option<String>,
    /// Load into this PostgreSQL database instead of the embedded warehouse.
    #[arg(long, value_name = "URL")]
    pub(crate) destination: Option<String>,
    /// Customers in the generated shop; orders, items and events follow from it.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub(crate) customers: u32,
    /// Keep the server running at the end, to look around with curl.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Directory for everything the quickstart makes; must not exist yet. [default: a new directory under the system's temporary one]
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// How closely column types are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fidelity {
    /// The documented mapping of the upstream system.
    #[default]
    Stitch,
    /// Keep date, timestamptz, uuid, bytea, json and arrays between databases that have them.
    Native,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  selvedge sync --source postgres://u:p@db/shop --destination postgres://u:p@wh/dw\n  \
                        selvedge sync --source sqlite:shop.db --destination sqlite:copy.db --streams orders,items\n\n\
                        A table is named by its name, by schema.table, or by its stream id."
)]
pub(crate) struct SyncArguments {
    /// Where to read: postgres://USER:PASSWORD@HOST:PORT/DATABASE[?ssl=true], sqlite:PATH, or tap:PROGRAM for a Singer tap
    #[arg(
        long,
        value_name = "URL",
        env = "SELVEDGE_SYNC_SOURCE",
        hide_env = true
    )]
    pub(crate) source: String,
    /// Where to write: postgres://… or sqlite:PATH
    #[arg(
        long,
        value_name = "URL",
        env = "SELVEDGE_SYNC_DESTINATION",
        hide_env = true
    )]
    pub(crate) destination: String,
    /// Tables to copy, separated by commas; all of them if left out.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) streams: Vec<String>,
    /// `full`, or `incremental:KEY`. A one-off copy has no memory: incremental reads everything in key order and upserts.
    #[arg(long, default_value = "full", value_name = "METHOD")]
    pub(crate) method: String,
    /// Configuration file of the tap.
    #[arg(long, value_name = "FILE")]
    pub(crate) tap_config: Option<PathBuf>,
    /// File with the state of the tap: it goes on from there, and what it has reached is written back.
    #[arg(long, value_name = "FILE")]
    pub(crate) tap_state: Option<PathBuf>,
    /// Schema in the destination. [default: the source's database or file name, or the tap's]
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// How closely column types are kept.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) fidelity: Fidelity,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Whoever knows the address of a source may send to it. A source has two at most: make the new one, change the \
                  sender over, revoke the old one."
)]
pub(crate) struct WebhookArguments {
    #[command(subcommand)]
    pub(crate) command: WebhookCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Make an address for a source; it is shown once.
    Create {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        source_id: i64,
        /// Print {"id": …, "path": …}.
        #[arg(long)]
        json: bool,
    },
    /// List the ids of a source's addresses in use.
    List {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        source_id: i64,
        #[arg(long)]
        json: bool,
    },
    /// End an address at once: what is sent to it is refused.
    Revoke {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        source_id: i64,
        webhook_id: i64,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Most source types are read by Singer taps: Python programs, each installed into an environment of its own below the\n\
                  data directory. All of this works while the server runs; it takes up an installed tap with the next job.\n\n\
                  Examples:\n  selvedge taps doctor                              can taps be installed here, and do those that are start?\n  \
                  selvedge taps install platform.github             make the environment of one type\n  \
                  selvedge taps install --all-of types.txt          of all types that a file names, one a line\n  \
                  selvedge taps list                                what is installed\n  \
                  selvedge taps list --all                          what could be\n\n\
                  In the configuration file, [taps] says which Python makes environments, whether jobs install what is missing\n\
                  (install_on_first_use), which types run programs of your own ([taps.commands]), and where your own source types\n\
                  are (types). docs/taps.md tells more."
)]
pub(crate) struct TapsArguments {
    #[command(subcommand)]
    pub(crate) command: TapsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TapsCommand {
    /// Make the environments of source types. Those that are there already and up to date are left alone.
    Install {
        #[command(flatten)]
        state: StateArguments,
        /// Source types, for example platform.github.
        #[arg(value_name = "TYPE", required_unless_present = "all_of")]
        types: Vec<String>,
        /// A file with one source type a line; what follows a # is a remark.
        #[arg(long, value_name = "FILE")]
        all_of: Option<PathBuf>,
        /// Print {"type": …, "package": …, "version": …, "installed": …, "error": …} per type.
        #[arg(long)]
        json: bool,
    },
    /// List the source types whose taps are installed.
    List {
        #[command(flatten)]
        state: StateArguments,
        /// Every type that has a tap, installed or not.
        #[arg(long)]
        all: bool,
        /// Print one object per type.
        #[arg(long)]
        json: bool,
    },
    /// Remove the environment of a source type. Jobs that run from it fail.
    Remove {
        #[command(flatten)]
        state: StateArguments,
        #[arg(value_name = "TYPE")]
        type_name: String,
    },
    /// Run a tap without loading anything: what is wrong with what it says, and what becomes of it. Fails when a job with it
    /// would.
    Lint(LintArguments),
    /// Check what taps need: Python, its installer, the package index, the disk, and each installed tap. Fails when something is wrong.
    Doctor {
        #[command(flatten)]
        state: StateArguments,
        /// Print one object per check.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// The tap's program: a path, or a name to look for in PATH.
    pub(crate) program: PathBuf,
    /// Its configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) tap_config: Option<PathBuf>,
    /// A file with the state to start from. It is not changed.
    #[arg(long, value_name = "FILE")]
    pub(crate) tap_state: Option<PathBuf>,
    /// Streams to select, separated by commas; all of them if left out.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) streams: Vec<String>,
    /// Without what the tap logs.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print one object per finding.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PartnerArguments {
    #[command(subcommand)]
    pub(crate) command: PartnerCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PartnerCommand {
    /// Make a partner; its secret is shown once.
    Create {
        #[command(flatten)]
        state: StateArguments,
        /// Name of the organisation.
        #[arg(long)]
        name: String,
        /// Callback of the OAuth consent page; may be repeated, the first is the default.
        #[arg(long = "redirect-uri", value_name = "URI")]
        redirect_uris: Vec<String>,
        /// Print {"partner_id": …, "partner_secret": …}.
        #[arg(long)]
        json: bool,
    },
    /// List the partners.
    List {
        #[command(flatten)]
        state: StateArguments,
        #[arg(long)]
        json: bool,
    },
    /// Replace a partner's secret; the old one stops working at once.
    Rotate {
        #[command(flatten)]
        state: StateArguments,
        partner_id: String,
        #[arg(long)]
        json: bool,
    },
    /// Let a partner into an account: prints the callback address with a code, which the partner exchanges within five
    /// minutes for an access token.
    Authorize {
        #[command(flatten)]
        state: StateArguments,
        partner_id: String,
        account_id: i64,
        /// Callback to use; one that the partner has registered. [default: the first one]
        #[arg(long, value_name = "URI")]
        redirect_uri: Option<String>,
        /// What the partner wants back in the callback: its `state` parameter.
        #[arg(long = "state", value_name = "TEXT")]
        partner_state: Option<String>,
        /// Print {"callback": …, "code": …, "expires_at": …}.
        #[arg(long)]
        json: bool,
    },
    /// Disable a partner: it can create no more accounts. Its accounts stay.
    Disable {
        #[command(flatten)]
        state: StateArguments,
        partner_id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// List the accounts.
    List {
        #[command(flatten)]
        state: StateArguments,
        #[arg(long)]
        json: bool,
    },
    /// List the sources of an account, and when rows were last received for those that others push to (a few seconds late).
    Sources {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        #[arg(long)]
        json: bool,
    },
    /// Delete an account with its connections and tokens. Data in destinations stays.
    Delete {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Put an account on a plan of the configuration file, from the next request on.
    Plan {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        /// The name in `[plans.NAME]`.
        #[arg(required_unless_present = "none", conflicts_with = "none")]
        plan: Option<String>,
        /// Take the account off its plan: it may do everything.
        #[arg(long)]
        none: bool,
    },
    /// Mint a new access token, shown once, or revoke one.
    Token {
        #[command(flatten)]
        state: StateArguments,
        account_id: i64,
        /// Revoke the token with this id instead of minting one.
        #[arg(long, value_name = "ID")]
        revoke: Option<i64>,
        /// List the account's tokens instead (ids and dates, never values).
        #[arg(long, conflicts_with = "revoke")]
        list: bool,
        #[arg(long)]
        json: bool,
    },
}

/// Form of the printed reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferenceFormat {
    /// A document for people.
    Markdown,
    /// What GET /reference/connections.json answers.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    /// Form of the document.
    #[arg(long, value_enum, default_value_t = ReferenceFormat::Markdown)]
    pub(crate) format: ReferenceFormat,
    /// Address of the server in sample requests.
    #[arg(
        long,
        env = "SELVEDGE_PUBLIC_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) public_url: String,
}
