//! Partners: companies that create accounts through the API. They belong to the operator, not to an account.

use selvedge_types::{Secret, Timestamp};

use crate::row::Row;
use crate::value::values;
use crate::{ReadTx, StoreError, Tx, random};

const PREFIX: &str = "oc_";

/// A partner, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRecord {
    /// `oc_…`; public.
    pub id: String,
    pub name: String,
    /// Where a user may be sent back to after consent.
    pub redirect_uris: Vec<String>,
    pub created_at: Timestamp,
    /// Set while the partner may do nothing; its accounts and their tokens go on.
    pub disabled_at: Option<Timestamp>,
}

statements! {
    INSERT = "insert into partners (id, name, secret_hash, redirect_uris, created_at)
        values ($1, $2, $3, $4, $5)";
    LIST = "select id, name, redirect_uris, created_at, disabled_at
        from partners
        order by created_at, id";
    FIND = "select id, name, redirect_uris, created_at, disabled_at
        from partners
        where id = $1";
    AUTHENTICATE = "select id, name, redirect_uris, created_at, disabled_at
        from partners
        where id = $1
            and secret_hash = $2
            and disabled_at is null";
    FIND_BY_SECRET = "select id, name, redirect_uris, created_at, disabled_at
        from partners
        where secret_hash = $1
            and disabled_at is null";
    ROTATE = "update partners
        set secret_hash = $2
        where id = $1";
    DISABLE = "update partners
        set disabled_at = coalesce(disabled_at, $2)
        where id = $1";
    ENABLE = "update partners
        set disabled_at = null
        where id = $1";
}

/// Registers a partner. The secret is in the answer and nowhere else.
pub async fn create(
    tx: &mut Tx,
    name: &str,
    redirect_uris: &[String],
    now: Timestamp,
) -> Result<(PartnerRecord, Secret), StoreError> {
    // The id is public, so it gets fewer bits than the secret.
    let mut bytes = [0; 12];
    random::fill(&mut bytes)?;
    let id = format!("{PREFIX}{}", random::hex(&bytes));
    let secret = random::secret(PREFIX)?;
    tx.execute(
        INSERT,
        values![
            id.as_str(),
            name,
            random::hash(secret.expose()),
            serde_json::Value::from(redirect_uris).to_string(),
            now,
        ],
    )
    .await?;
    let partner = PartnerRecord {
        id,
        name: name.to_owned(),
        redirect_uris: redirect_uris.to_vec(),
        created_at: now,
        disabled_at: None,
    };
    Ok((partner, secret))
}

/// Every partner, disabled ones included.
pub async fn list(tx: &mut ReadTx) -> Result<Vec<PartnerRecord>, StoreError> {
    tx.fetch_all(LIST, values![])
        .await?
        .iter()
        .map(record)
        .collect()
}

pub async fn find(tx: &mut ReadTx, id: &str) -> Result<Option<PartnerRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![id]).await?;
    row.as_ref().map(record).transpose()
}

/// The partner with this id and secret, unless it is disabled.
pub async fn authenticate(
    tx: &mut ReadTx,
    id: &str,
    secret: &str,
) -> Result<Option<PartnerRecord>, StoreError> {
    let values = values![id, random::hash(secret)];
    let row = tx.fetch_optional(AUTHENTICATE, values).await?;
    row.as_ref().map(record).transpose()
}

/// The partner that a secret alone identifies, unless it is disabled.
pub async fn authenticate_by_secret(
    tx: &mut ReadTx,
    secret: &str,
) -> Result<Option<PartnerRecord>, StoreError> {
    let row = tx
        .fetch_optional(FIND_BY_SECRET, values![random::hash(secret)])
        .await?;
    row.as_ref().map(record).transpose()
}

/// Replaces the secret; the old one stops working at once. `None` when there is no such partner.
pub async fn rotate(tx: &mut Tx, id: &str) -> Result<Option<Secret>, StoreError> {
    let secret = random::secret(PREFIX)?;
    let changed = tx
        .execute(ROTATE, values![id, random::hash(secret.expose())])
        .await?;
    Ok((changed == 1).then_some(secret))
}

/// Disables a partner; the first time counts. `false` when there is no such partner.
pub async fn disable(tx: &mut Tx, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(DISABLE, values![id, now]).await? == 1)
}

/// Undoes [`disable`]. `false` when there is no such partner.
pub async fn enable(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(ENABLE, values![id]).await? == 1)
}

fn record(row: &Row) -> Result<PartnerRecord, StoreError> {
    let id = row.text("id")?;
    let redirect_uris = serde_json::from_str(&row.text("redirect_uris")?)
        .map_err(|_| StoreError::corrupt("partners", "redirect_uris", &id))?;
    Ok(PartnerRecord {
        name: row.text("name")?,
        redirect_uris,
        created_at: row.time("created_at")?,
        disabled_at: row.optional_time("disabled_at")?,
        id,
    })
}
