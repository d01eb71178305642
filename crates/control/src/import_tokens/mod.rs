//! Tokens that push records to one source of the Import API. Two may be active at a time, so that one can replace the
//! other without a gap.

mod create;
mod delete;
mod list;

use selvedge_catalog::Category;
use selvedge_store::sources::SourceRecord;
use selvedge_types::SourceId;

use crate::sources::type_of;
use crate::{Control, ControlError};

pub(crate) use create::MAX_ACTIVE;
pub use create::{CreatedImportToken, create};
pub use delete::delete;
pub use list::list;

/// The source, unless it is none, deleted, or of a type that is not pushed with tokens.
fn pushed_source(
    control: &Control,
    id: SourceId,
    found: Option<SourceRecord>,
) -> Result<SourceRecord, ControlError> {
    let source = found
        .filter(|source| source.deleted_at.is_none())
        .ok_or(ControlError::SourceNotFound(id))?;
    if type_of(control, &source)?.category() == Category::ImportApi {
        Ok(source)
    } else {
        Err(ControlError::NoImportTokens(id))
    }
}
