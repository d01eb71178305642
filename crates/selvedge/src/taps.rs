//! `selvedge taps …`: installing Singer taps and looking after them, for the operator.

mod doctor;
mod install;
mod lint;
mod list;
mod runtime;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use selvedge_catalog::{Catalog, OauthClients};
use selvedge_taps::{Package, Taps};

use crate::cli::{StateArguments, TapsArguments, TapsCommand};
use crate::config::{self, TapsSettings};

pub(crate) use runtime::runtime;

pub(crate) async fn run(arguments: TapsArguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        TapsCommand::Install {
            state,
            types,
            all_of,
            json,
        } => {
            let types = install::wanted(types, all_of.as_deref())?;
            install::run(&Desk::open(&state)?, &types, json).await
        }
        TapsCommand::List { state, all, json } => list::run(&Desk::open(&state)?, all, json),
        TapsCommand::Remove { state, type_name } => {
            remove(&Desk::open(&state)?, &type_name).await?;
            Ok(ExitCode::SUCCESS)
        }
        TapsCommand::Lint(arguments) => lint::run(&arguments).await,
        TapsCommand::Doctor { state, json } => doctor::run(&Desk::open(&state)?, json).await,
    }
}

/// What the commands work on.
struct Desk {
    settings: TapsSettings,
    taps: Taps,
}

impl Desk {
    fn open(arguments: &StateArguments) -> anyhow::Result<Self> {
        let settings = config::load_taps(arguments)?;
        // Credentials are nothing to whoever installs.
        let taps = Taps::new(settings.taps(OauthClients::default()));
        Ok(Self { settings, taps })
    }

    /// The package of a type.
    fn package(&self, type_name: &str) -> anyhow::Result<&Package> {
        if let Some(package) = self.taps.package(type_name) {
            return Ok(package);
        }
        if self.taps.command(type_name).is_some() {
            bail!("{type_name} runs a program of your own: nothing is to be installed");
        }
        match Catalog::global().source_type(type_name) {
            Some(_) => bail!("no Singer tap is known for {type_name}"),
            None => bail!(
                "there is no source type {type_name}; `selvedge taps list --all` names those with taps"
            ),
        }
    }
}

async fn remove(desk: &Desk, type_name: &str) -> anyhow::Result<()> {
    let package = desk.package(type_name)?;
    let environments = desk.taps.environments();
    let removed = environments
        .remove(package)
        .await
        .with_context(|| type_name.to_owned())?;
    let shared: Vec<&str> = desk
        .settings
        .types()
        .into_iter()
        .filter(|other| *other != type_name && desk.taps.package(other) == Some(package))
        .collect();
    match removed {
        true if shared.is_empty() => println!("removed {package}"),
        true => println!("removed {package}, which also served {}", shared.join(", ")),
        false => println!("{package} is not installed"),
    }
    Ok(())
}
