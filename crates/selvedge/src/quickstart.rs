//! `selvedge quickstart`: the main job once, over the HTTP API, with every request shown.

mod client;
mod ends;
mod shop;
mod tour;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cli::{QuickstartArguments, ServeArguments, StateArguments};
use crate::config::ServeSettings;
use crate::serve::{Server, Signals};
use crate::table::grouped;
use ends::warehouse;
use shop::Database;
use tour::Tour;

pub(crate) async fn run(arguments: QuickstartArguments) -> anyhow::Result<ExitCode> {
    let directory = directory(&arguments)?;
    println!("Everything of this tour is in {}", directory.display());

    heading("A shop to replicate");
    let source = source(&arguments, &directory).await?;
    source.generate(arguments.customers).await?;
    println!(
        "generated {} customers with orders, items and events",
        grouped(u64::from(arguments.customers))
    );

    heading("A server");
    let server = Server::start(settings(&arguments, &directory)?, axum::Router::new()).await?;
    println!("listening on {}", server.url());
    let (partner_id, partner_secret) = server.create_partner("Quickstart").await?;
    println!("made a partner, as `selvedge partner create --name Quickstart` does: {partner_id}");

    let mut tour = Tour::of(&server);
    let toured = tour
        .walk(
            &arguments,
            &directory,
            &source,
            (&partner_id, &partner_secret),
        )
        .await;
    if let Err(error) = toured {
        server.stop().await?;
        return Err(error);
    }
    farewell(&arguments, &directory, &server, tour.account());
    if arguments.keep {
        server.until_interrupted(Signals::listen()?).await?;
    } else {
        server.stop().await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn heading(text: &str) {
    println!("\n== {text}");
}

fn directory(arguments: &QuickstartArguments) -> anyhow::Result<PathBuf> {
    let directory = match &arguments.directory {
        Some(directory) if directory.exists() => bail!(
            "{} exists already; name a new directory",
            directory.display()
        ),
        Some(directory) => directory.clone(),
        None => std::env::temp_dir().join(format!(
            "selvedge-quickstart-{}",
            uuid::Uuid::new_v4().simple()
        )),
    };
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("{} could not be made", directory.display()))?;
    directory
        .canonicalize()
        .context("the new directory could not be resolved")
}

async fn source(arguments: &QuickstartArguments, directory: &Path) -> anyhow::Result<Database> {
    match &arguments.source {
        Some(url) => Database::postgres(url).await.context("--source"),
        None => Ok(Database::Sqlite(directory.join("shop.db"))),
    }
}

fn settings(arguments: &QuickstartArguments, directory: &Path) -> anyhow::Result<ServeSettings> {
    let mut settings = ServeSettings::load(&ServeArguments {
        dumpable: false,
        state: StateArguments {
            data_dir: Some(directory.join("selvedge-data")),
            config: None,
            database_url: None,
            master_key: None,
        },
        listen: Some("127.0.0.1:0".to_owned()),
        public_url: None,
        trust_proxy: None,
        log: Some(if arguments.keep {
            "info".to_owned()
        } else {
            "warn".to_owned()
        }),
    })?;
    settings.allowed_directories = vec![directory.to_owned()];
    Ok(settings)
}

fn farewell(arguments: &QuickstartArguments, directory: &Path, server: &Server, account: i64) {
    heading("Look further");
    if arguments.destination.is_none()
        && let Ok(path) = warehouse(directory)
    {
        println!(
            "  sqlite3 {} 'select status, count(*) from shop__orders group by status'",
            path.display()
        );
    }
    if arguments.keep {
        println!(
            "  selvedge account token {account} --data-dir {}",
            directory.join("selvedge-data").display()
        );
        println!(
            "  curl -H 'Authorization: Bearer <that token>' {}/v4/sources",
            server.url()
        );
        println!("  The server keeps running; press Ctrl-C to stop it.");
    } else {
        println!(
            "  selvedge quickstart --keep    the same, and the server stays for your own requests"
        );
        println!("  selvedge serve                a server of your own");
    }
}
