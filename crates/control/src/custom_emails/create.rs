//! A recipient is added.

use selvedge_store::custom_emails::{self, CustomEmailRecord};
use selvedge_types::AccountScope;
use serde_json::{Map, Value};

use crate::text::is_email;
use crate::{Control, ControlError, accounts, plans};

/// Recipients that one account may have, disabled ones included.
const MAX_CUSTOM_EMAILS: u64 = 10;

/// What a recipient is created from.
#[derive(Debug)]
pub struct NewCustomEmail {
    email_address: String,
}

impl NewCustomEmail {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        match body.and_then(|body| body.get("email_address")) {
            Some(Value::String(text)) if is_email(text) => Ok(Self {
                email_address: text.clone(),
            }),
            _ => Err(ControlError::InvalidEmailAddress),
        }
    }
}

/// Adds a recipient. An address that the account has already, in whatever case, gives the existing recipient, disabled or
/// not. The plan is looked at before the body, which therefore may be a refusal already.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    new: Result<NewCustomEmail, ControlError>,
) -> Result<CustomEmailRecord, ControlError> {
    let mut tx = control.store().begin().await?;
    // Two callers must not both find room for a last one.
    accounts::hold(&mut tx, scope).await?;
    if !plans::features(control, &mut tx, scope)
        .await?
        .custom_emails
    {
        return Err(ControlError::NoAccessToCustomEmails);
    }
    let address = new?.email_address;
    if let Some(existing) = custom_emails::find_by_address(&mut tx, scope, &address).await? {
        return Ok(existing);
    }
    if custom_emails::count(&mut tx, scope).await? >= MAX_CUSTOM_EMAILS {
        return Err(ControlError::CustomEmailLimit);
    }
    let id = custom_emails::create(&mut tx, scope, &address, control.now()).await?;
    let record = custom_emails::find(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::CustomEmailNotFound)?;
    tx.commit().await?;
    tracing::info!(custom_email.id = id.0, "custom e-mail created");
    Ok(record)
}
