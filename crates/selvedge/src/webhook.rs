//! `selvedge webhook …`: the addresses that incoming webhooks are sent to, for the operator.

use std::process::ExitCode;

use anyhow::Context;
use selvedge_control::webhooks;
use selvedge_types::{AccountId, AccountScope, Clock, ImportTokenId, SourceId};
use serde_json::json;

use crate::cli::{StateArguments, WebhookArguments, WebhookCommand};
use crate::clock::SystemClock;
use crate::config::StateSettings;
use crate::state::State;

pub(crate) async fn run(arguments: WebhookArguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        WebhookCommand::Create {
            state,
            account_id,
            source_id,
            json,
        } => create(&open(&state).await?, Of::new(account_id, source_id), json).await?,
        WebhookCommand::List {
            state,
            account_id,
            source_id,
            json,
        } => list(&open(&state).await?, Of::new(account_id, source_id), json).await?,
        WebhookCommand::Revoke {
            state,
            account_id,
            source_id,
            webhook_id,
        } => {
            let of = Of::new(account_id, source_id);
            revoke(&open(&state).await?, of, ImportTokenId(webhook_id)).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose addresses.
#[derive(Clone, Copy)]
struct Of {
    scope: AccountScope,
    source: SourceId,
}

impl Of {
    fn new(account_id: i64, source_id: i64) -> Self {
        Self {
            scope: AccountScope::of(AccountId(account_id)),
            source: SourceId(source_id),
        }
    }

    fn named(self) -> String {
        format!("account {}, source {}", self.scope.account(), self.source)
    }
}

async fn open(arguments: &StateArguments) -> anyhow::Result<State> {
    State::open(&StateSettings::load(arguments)?).await
}

async fn create(state: &State, of: Of, as_json: bool) -> anyhow::Result<()> {
    let mut tx = state.store.begin().await?;
    let created = webhooks::create(&mut tx, of.scope, of.source, SystemClock.now())
        .await
        .with_context(|| of.named())?;
    tx.commit().await?;
    let path = created.path.expose();
    if as_json {
        println!("{}", json!({ "id": created.id, "path": path }));
    } else {
        println!("{path}");
        println!(
            "Address {} of source {}, below the server's public address. It is not shown again; whoever knows it may send.",
            created.id, of.source
        );
    }
    Ok(())
}

async fn list(state: &State, of: Of, as_json: bool) -> anyhow::Result<()> {
    let mut tx = state.store.read().await?;
    let listed = webhooks::list(&mut tx, of.scope, of.source)
        .await
        .with_context(|| of.named())?;
    for webhook in listed {
        if as_json {
            println!(
                "{}",
                json!({ "id": webhook.id, "created_at": webhook.created_at })
            );
        } else {
            println!("{}  since {}", webhook.id, webhook.created_at);
        }
    }
    Ok(())
}

async fn revoke(state: &State, of: Of, id: ImportTokenId) -> anyhow::Result<()> {
    let mut tx = state.store.begin().await?;
    webhooks::revoke(&mut tx, of.scope, of.source, id, SystemClock.now())
        .await
        .with_context(|| of.named())?;
    tx.commit().await?;
    // When this has returned, nobody can send there.
    state.believed().await;
    println!("revoked address {id} of source {}", of.source);
    Ok(())
}
