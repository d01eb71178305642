//! `selvedge account …`: accounts and their access tokens, for the operator.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::bail;
use selvedge_catalog::{Catalog, ConnectionType};
use selvedge_control::{ControlError, plans};
use selvedge_store::{accounts, sources, tokens};
use selvedge_types::{AccountId, AccountScope, Clock, TokenId};
use serde_json::json;

use crate::cli::{AccountArguments, AccountCommand, StateArguments};
use crate::clock::SystemClock;
use crate::config::{StateSettings, load_plans};
use crate::state::State;
use crate::table::render;

/// Accounts read from the store at a time.
const PAGE: u32 = 500;

pub(crate) async fn run(arguments: AccountArguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        AccountCommand::List { state, json } => list(&open(&state).await?, json).await?,
        AccountCommand::Sources {
            state,
            account_id,
            json,
        } => {
            let state = open(&state).await?;
            let scope = existing(&state, AccountId(account_id)).await?;
            list_sources(&state, scope, json).await?;
        }
        AccountCommand::Delete {
            state,
            account_id,
            yes,
        } => {
            delete(&open(&state).await?, AccountId(account_id), yes).await?;
        }
        AccountCommand::Plan {
            state,
            account_id,
            plan,
            none: _,
        } => put_on_plan(&state, AccountId(account_id), plan.as_deref()).await?,
        AccountCommand::Token {
            state,
            account_id,
            revoke,
            list,
            json,
        } => {
            let state = open(&state).await?;
            let scope = existing(&state, AccountId(account_id)).await?;
            match revoke {
                Some(id) => revoke_token(&state, scope, TokenId(id)).await?,
                None if list => list_tokens(&state, scope, json).await?,
                None => mint_token(&state, scope, json).await?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn open(arguments: &StateArguments) -> anyhow::Result<State> {
    State::open(&StateSettings::load(arguments)?).await
}

async fn existing(state: &State, account: AccountId) -> anyhow::Result<AccountScope> {
    let found = accounts::find(&mut state.store.read().await?, account).await?;
    match found.filter(|account| account.deleted_at.is_none()) {
        Some(_) => Ok(AccountScope::of(account)),
        None => bail!("there is no account {account}; `selvedge account list` shows them"),
    }
}

async fn list(state: &State, as_json: bool) -> anyhow::Result<()> {
    let mut after = None;
    let mut rows = Vec::new();
    loop {
        let page = accounts::list(&mut state.store.read().await?, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for account in page {
            if as_json {
                // A line per account: a list of any length needs the same memory.
                let entry = json!({
                    "account_id": account.id, "company": account.company, "email": account.email,
                    "region": account.region, "partner_id": account.partner_id, "plan": account.plan,
                    "created_at": account.created_at,
                });
                println!("{entry}");
            } else {
                rows.push(vec![
                    account.id.to_string(),
                    account.company,
                    account.email,
                    account.region,
                    account.plan.unwrap_or_default(),
                    account.created_at.to_string(),
                ]);
            }
        }
    }
    if !as_json {
        println!(
            "{}",
            render(
                &["account", "company", "owner", "region", "plan", "created"],
                &rows
            )
        );
    }
    Ok(())
}

async fn list_sources(state: &State, scope: AccountScope, as_json: bool) -> anyhow::Result<()> {
    let mut tx = state.store.read().await?;
    let received: HashMap<_, _> = sources::list_received(&mut tx, scope)
        .await?
        .into_iter()
        .collect();
    let live = sources::list(&mut tx, scope).await?.into_iter();
    let mut rows = Vec::new();
    for source in live.filter(|source| source.deleted_at.is_none()) {
        let received = received.get(&source.id);
        let is_paused = source.paused_at.is_some() || source.system_paused_at.is_some();
        if as_json {
            let entry = json!({
                "source_id": source.id, "type": source.source_type, "display_name": source.display_name,
                "schema": source.name, "paused": is_paused, "rows_received_at": received,
            });
            println!("{entry}");
            continue;
        }
        let connection_type = Catalog::global().source_type(&source.source_type);
        let is_pushed = connection_type.is_some_and(ConnectionType::is_pushed);
        rows.push(vec![
            source.id.to_string(),
            source.source_type,
            source.display_name,
            source.name,
            if is_paused { "paused" } else { "" }.to_owned(),
            match received {
                Some(at) => at.to_string(),
                None if is_pushed => "never".to_owned(),
                None => String::new(),
            },
        ]);
    }
    if !as_json {
        println!(
            "{}",
            render(
                &[
                    "source",
                    "type",
                    "name",
                    "schema",
                    "state",
                    "last rows received"
                ],
                &rows
            )
        );
    }
    Ok(())
}

async fn delete(state: &State, account: AccountId, yes: bool) -> anyhow::Result<()> {
    let scope = existing(state, account).await?;
    if !yes && !confirmed(account)? {
        bail!("nothing was deleted");
    }
    let mut tx = state.store.begin().await?;
    accounts::delete(&mut tx, scope, SystemClock.now()).await?;
    tx.commit().await?;
    state.believed().await;
    println!("deleted account {account}; data in its destinations stays");
    Ok(())
}

/// `None` takes the account off its plan.
async fn put_on_plan(
    arguments: &StateArguments,
    account: AccountId,
    plan: Option<&str>,
) -> anyhow::Result<()> {
    let plans = load_plans(arguments)?;
    let state = open(arguments).await?;
    let scope = existing(&state, account).await?;
    let paused = match plans::assign(&state.store, &plans, scope, plan, SystemClock.now()).await {
        Err(ControlError::UnknownPlan(unknown)) => {
            let known: Vec<&str> = plans.names().collect();
            bail!("{unknown}; it defines: {}", known.join(", "));
        }
        paused => paused?,
    };
    state.believed().await;
    match plan {
        Some(name) => println!("account {account} is on the plan {name}"),
        None => println!("account {account} is on no plan and may do everything"),
    }
    for source in paused {
        println!("source {source} lost its cron expression and is paused");
    }
    Ok(())
}

fn confirmed(account: AccountId) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("deleting account {account} needs --yes when nobody can be asked");
    }
    print!("Delete account {account} with all its connections and tokens? Type its id: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == account.to_string())
}

async fn mint_token(state: &State, scope: AccountScope, as_json: bool) -> anyhow::Result<()> {
    let mut tx = state.store.begin().await?;
    let (id, token) = tokens::mint(&mut tx, scope, None, SystemClock.now()).await?;
    tx.commit().await?;
    if as_json {
        println!(
            "{}",
            json!({ "token_id": id, "access_token": token.expose() })
        );
    } else {
        println!("token_id      {id}\naccess_token  {}", token.expose());
        println!("The token is shown only now.");
    }
    Ok(())
}

async fn revoke_token(state: &State, scope: AccountScope, id: TokenId) -> anyhow::Result<()> {
    let mut tx = state.store.begin().await?;
    if !tokens::revoke(&mut tx, scope, id, SystemClock.now()).await? {
        bail!("account {} has no live token {id}", scope.account());
    }
    tx.commit().await?;
    state.believed().await;
    println!("revoked token {id}");
    Ok(())
}

async fn list_tokens(state: &State, scope: AccountScope, as_json: bool) -> anyhow::Result<()> {
    let tokens = tokens::list(&mut state.store.read().await?, scope).await?;
    if as_json {
        let entries: Vec<_> = tokens
            .iter()
            .map(|token| {
                json!({
                    "token_id": token.id, "created_at": token.created_at, "last_used_at": token.last_used_at,
                    "revoked_at": token.revoked_at,
                })
            })
            .collect();
        println!("{}", serde_json::Value::from(entries));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            let used = token
                .last_used_at
                .map_or_else(|| "never".to_owned(), |at| at.to_string());
            let state = token
                .revoked_at
                .map_or_else(String::new, |at| format!("revoked {at}"));
            vec![
                token.id.to_string(),
                token.created_at.to_string(),
                used,
                state,
            ]
        })
        .collect();
    println!(
        "{}",
        render(&["token", "created", "last used", "state"], &rows)
    );
    Ok(())
}
