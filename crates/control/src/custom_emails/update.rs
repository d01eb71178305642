//! A recipient is disabled, or enabled again.

use selvedge_store::custom_emails;
use selvedge_types::{AccountScope, CustomEmailId, Timestamp};
use serde_json::value::RawValue;

use crate::text::parse_instant;
use crate::{Control, ControlError};

/// What an update sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomEmailChange {
    /// Any instant disables at once; `None` enables.
    disabled_at: Option<Timestamp>,
}

impl CustomEmailChange {
    /// Reads the value of `disabled_at`, `None` when there is none. A refusal carries the value as it was sent.
    pub fn from_sent(sent: Option<&RawValue>) -> Result<Self, ControlError> {
        let refused = || ControlError::InvalidDisabledAt(sent.map(ToOwned::to_owned));
        // Anything but null and a text is no instant, however long it is.
        let text: Option<String> =
            serde_json::from_str(sent.ok_or_else(refused)?.get()).map_err(|_| refused())?;
        let disabled_at = match text {
            None => None,
            Some(text) => Some(parse_instant(&text).ok_or_else(refused)?),
        };
        Ok(Self { disabled_at })
    }
}

/// Disables or enables a recipient. The id is judged before the change, which therefore may be a refusal already.
pub async fn update(
    control: &Control,
    scope: AccountScope,
    id: CustomEmailId,
    change: Result<CustomEmailChange, ControlError>,
) -> Result<(), ControlError> {
    let mut tx = control.store().begin().await?;
    if custom_emails::find(&mut tx, scope, id).await?.is_none() {
        return Err(ControlError::CustomEmailNotFound);
    }
    if !custom_emails::set_disabled_at(&mut tx, scope, id, change?.disabled_at).await? {
        // Somebody has deleted it just now.
        return Err(ControlError::CustomEmailNotFound);
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CustomEmailChange, ControlError> {
        CustomEmailChange::from_sent(Some(serde_json::from_str(text).unwrap()))
    }

    #[test]
    fn instants_disable_and_null_enables() {
        assert_eq!(read("null").unwrap().disabled_at, None);
        for text in [
            r#""2031-02-03T00:00:00Z""#,
            r#""2031-02-03T01:00:00+01:00""#,
            r#""2031-02-03T00:00:00""#,
            r#""2031-02-03""#,
            r#""2031\u002d02-03""#,
        ] {
            let disabled_at = read(text).unwrap().disabled_at.unwrap();
            assert_eq!(disabled_at.to_string(), "2031-02-03T00:00:00Z", "{text}");
        }
    }

    #[test]
    fn whatever_is_no_instant_is_refused_as_it_was_sent() {
        for text in [
            r#""""#,
            r#""yesterday""#,
            r#""2031-02-30T00:00:00Z""#,
            "0",
            "1.50",
            "12345678901234567890123",
            "1e999",
            "true",
            "[ 1 ]",
            r#"{"a":  null}"#,
        ] {
            match read(text) {
                Err(ControlError::InvalidDisabledAt(Some(sent))) => assert_eq!(sent.get(), text),
                other => panic!("{text}: {other:?}"),
            }
        }
        let missing = CustomEmailChange::from_sent(None);
        assert!(matches!(
            missing,
            Err(ControlError::InvalidDisabledAt(None))
        ));
    }
}
