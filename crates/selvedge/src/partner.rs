//! `selvedge partner …`: the API clients that may create accounts.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use selvedge_control::oauth;
use selvedge_store::partners;
use selvedge_types::{AccountId, Clock};
use serde_json::json;

use crate::cli::{PartnerArguments, PartnerCommand, StateArguments};
use crate::clock::SystemClock;
use crate::config::StateSettings;
use crate::state::State;
use crate::table::render;

pub(crate) async fn run(arguments: PartnerArguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        PartnerCommand::Create {
            state,
            name,
            redirect_uris,
            json,
        } => create(&state, &name, &redirect_uris, json).await?,
        PartnerCommand::List { state, json } => list(&state, json).await?,
        PartnerCommand::Rotate {
            state,
            partner_id,
            json,
        } => rotate(&state, &partner_id, json).await?,
        PartnerCommand::Authorize {
            state,
            partner_id,
            account_id,
            redirect_uri,
            partner_state,
            json,
        } => {
            let asked = Asked {
                partner_id: &partner_id,
                account: AccountId(account_id),
                redirect_uri: redirect_uri.as_deref(),
                state: partner_state.as_deref(),
            };
            authorize(&state, &asked, json).await?;
        }
        PartnerCommand::Disable { state, partner_id } => disable(&state, &partner_id).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(arguments: &StateArguments) -> anyhow::Result<State> {
    State::open(&StateSettings::load(arguments)?).await
}

async fn create(
    arguments: &StateArguments,
    name: &str,
    redirect_uris: &[String],
    as_json: bool,
) -> anyhow::Result<()> {
    if name.trim().is_empty() {
        bail!("a partner needs a name");
    }
    for uri in redirect_uris {
        let valid =
            reqwest::Url::parse(uri).is_ok_and(|uri| uri.has_host() && uri.fragment().is_none());
        if !valid {
            bail!(
                "the redirect URI {uri:?} must be absolute and without a fragment: https://app.example.com/callback"
            );
        }
    }
    let state = open(arguments).await?;
    let mut tx = state.store.begin().await?;
    let (partner, secret) =
        partners::create(&mut tx, name.trim(), redirect_uris, SystemClock.now()).await?;
    tx.commit().await?;
    if as_json {
        println!(
            "{}",
            json!({ "partner_id": partner.id, "partner_secret": secret.expose() })
        );
    } else {
        println!(
            "partner_id      {}\npartner_secret  {}",
            partner.id,
            secret.expose()
        );
        println!("The secret is shown only now. With both, POST /v3/accounts creates accounts.");
    }
    Ok(())
}

async fn list(arguments: &StateArguments, as_json: bool) -> anyhow::Result<()> {
    let state = open(arguments).await?;
    let partners = partners::list(&mut state.store.read().await?).await?;
    if as_json {
        let entries: Vec<_> = partners
            .iter()
            .map(|partner| {
                json!({
                    "partner_id": partner.id, "name": partner.name, "redirect_uris": partner.redirect_uris,
                    "created_at": partner.created_at, "disabled_at": partner.disabled_at,
                })
            })
            .collect();
        println!("{}", serde_json::Value::from(entries));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = partners
        .iter()
        .map(|partner| {
            let disabled = partner
                .disabled_at
                .map_or_else(String::new, |at| format!("disabled {at}"));
            vec![
                partner.id.clone(),
                partner.name.clone(),
                partner.created_at.to_string(),
                disabled,
            ]
        })
        .collect();
    println!(
        "{}",
        render(&["partner", "name", "created", "state"], &rows)
    );
    Ok(())
}

async fn rotate(arguments: &StateArguments, partner_id: &str, as_json: bool) -> anyhow::Result<()> {
    let state = open(arguments).await?;
    let mut tx = state.store.begin().await?;
    let Some(secret) = partners::rotate(&mut tx, partner_id).await? else {
        bail!("there is no partner {partner_id}");
    };
    tx.commit().await?;
    if as_json {
        println!(
            "{}",
            json!({ "partner_id": partner_id, "partner_secret": secret.expose() })
        );
    } else {
        println!(
            "partner_id      {partner_id}\npartner_secret  {}",
            secret.expose()
        );
    }
    Ok(())
}

/// What a partner would send a user to the consent page with, and the account that the user would choose.
struct Asked<'a> {
    partner_id: &'a str,
    account: AccountId,
    redirect_uri: Option<&'a str>,
    state: Option<&'a str>,
}

async fn authorize(
    arguments: &StateArguments,
    asked: &Asked<'_>,
    as_json: bool,
) -> anyhow::Result<()> {
    let state = open(arguments).await?;
    let mut tx = state.store.begin().await?;
    let named = || format!("partner {}, account {}", asked.partner_id, asked.account);
    let authorization = oauth::find_authorization(&mut tx, asked.partner_id, asked.redirect_uri)
        .await
        .with_context(named)?;
    let now = SystemClock.now();
    let granted = oauth::grant(&mut tx, &authorization, asked.account, asked.state, now)
        .await
        .with_context(named)?;
    tx.commit().await?;
    let (callback, code) = (granted.callback.expose(), granted.code.expose());
    if as_json {
        println!(
            "{}",
            json!({ "callback": callback, "code": code, "expires_at": granted.expires_at })
        );
    } else {
        println!("{callback}");
        println!(
            "Until {} and once, POST /oauth/token exchanges the code for an access token to account {}.",
            granted.expires_at, asked.account
        );
    }
    Ok(())
}

async fn disable(arguments: &StateArguments, partner_id: &str) -> anyhow::Result<()> {
    let state = open(arguments).await?;
    let mut tx = state.store.begin().await?;
    if !partners::disable(&mut tx, partner_id, SystemClock.now()).await? {
        bail!("there is no partner {partner_id}");
    }
    tx.commit().await?;
    println!("disabled {partner_id}; accounts it created stay");
    Ok(())
}
