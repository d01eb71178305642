//! Clocks of sources that number what they receive themselves.

use selvedge_types::{AccountScope, SourceId};

use crate::value::values;
use crate::{StoreError, Tx};

statements! {
    /// An insert that selects has no columns to take the types of its parameters from.
    RESERVE = "insert into intake_clocks (source_id, account_id, reserved_upto)
        select sources.id, sources.account_id, cast($3 as bigint) + cast($4 as bigint)
        from sources
        where sources.account_id = $1
            and sources.id = $2
        on conflict (source_id) do update
        set reserved_upto = case
            when intake_clocks.reserved_upto < $3 then cast($3 as bigint) else intake_clocks.reserved_upto end
            + cast($4 as bigint)
        returning reserved_upto";
}

/// Reserves `count` numbers, each greater than `present` and than every one reserved before. Answers with the last of them;
/// `None` when the account has no such source.
pub async fn reserve(
    tx: &mut Tx,
    scope: AccountScope,
    source: SourceId,
    present: i64,
    count: i64,
) -> Result<Option<i64>, StoreError> {
    let values = values![scope, source, present, count];
    let row = tx.fetch_optional(RESERVE, values).await?;
    row.map(|row| row.integer("reserved_upto")).transpose()
}
