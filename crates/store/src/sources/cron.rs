//! Which sources have a cron expression, over all accounts of a plan.

use selvedge_types::{AccountId, AccountScope, SourceId};

use crate::value::values;
use crate::{ReadTx, StoreError};

statements! {
    /// The text is only a sieve for rows worth reading: the expression may be anywhere in it.
    LIST_WITH_CRON = r#"select sources.id, sources.account_id
        from sources
        join accounts on accounts.id = sources.account_id
        where accounts.plan = $1
            and accounts.deleted_at is null
            and sources.deleted_at is null
            and sources.properties like '%"cron_expression":%'
        order by sources.id"#;
}

/// Live sources with a property named `cron_expression`, of accounts on the plan, in the order of their ids. A value may
/// contain the name too: who asks looks at the properties.
pub async fn list_with_cron(
    tx: &mut ReadTx,
    plan: &str,
) -> Result<Vec<(AccountScope, SourceId)>, StoreError> {
    tx.fetch_all(LIST_WITH_CRON, values![plan])
        .await?
        .iter()
        .map(|row| {
            let account = AccountId(row.integer("account_id")?);
            Ok((AccountScope::of(account), SourceId(row.integer("id")?)))
        })
        .collect()
}
