//! Who posts: which tables the records go to, and what their key is.

use serde_json::{Map, Value};

use super::rename::{rename, snake_case};
use crate::record::Flaw;

/// What type names of webhooks begin with in the catalogue.
const PREFIX: &str = "webhook.";
/// The setting that names the key.
const KEY_SETTING: &str = "webhookz_primary_key";
/// Calls of Segment that have a table of their own.
const SEGMENT_CALLS: [&str; 5] = ["group", "identify", "page", "screen", "track"];

/// A kind of sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookKind {
    /// Everything goes to `data`. Without a key rows are appended.
    Generic { key_name: Option<String> },
    /// Each call goes to the table of its `type`; calls without such a table go to `data`. Field names are written in snake
    /// case (`messageId` is `message_id`, the key), but not those inside `properties`, `traits` and `context`, which are the
    /// sender's own.
    Segment,
    /// Everything goes to `events`. `smtp-id` is `smtp_id` in every destination, also in those that drop hyphens.
    SendGrid,
    /// Everything goes to `data`, by `event_id`.
    CustomerIo,
}

/// A record as it is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) table_name: &'static str,
    /// Its text, where that is not the one that came.
    pub(super) renamed: Option<String>,
}

impl WebhookKind {
    /// The kind of a source by its type name and settings; `None` for types that are no incoming webhooks.
    pub fn of(type_name: &str, properties: &Map<String, Value>) -> Option<Self> {
        Some(match type_name.strip_prefix(PREFIX)? {
            "segment" => Self::Segment,
            "sendgrid" => Self::SendGrid,
            "customerio" => Self::CustomerIo,
            _ => {
                let key_name = properties.get(KEY_SETTING).and_then(Value::as_str);
                let key_name = key_name.filter(|name| !name.trim().is_empty());
                Self::Generic {
                    key_name: key_name.map(str::to_owned),
                }
            }
        })
    }

    pub(super) fn key_names(&self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Generic { key_name } => return key_name.iter().cloned().collect(),
            Self::Segment => &["message_id"],
            Self::SendGrid => &["event", "email", "timestamp"],
            Self::CustomerIo => &["event_id"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Where a record goes, and how it looks there. `text` was read before.
    pub(super) fn record(&self, text: &str) -> Result<Kept, Flaw> {
        Ok(match self {
            Self::Generic { .. } | Self::CustomerIo => Kept {
                table_name: "data",
                renamed: None,
            },
            Self::SendGrid => {
                let renamed = rename(text, |name| match name {
                    "smtp-id" => Some("smtp_id".to_owned()),
                    _ => None,
                })?;
                Kept {
                    table_name: "events",
                    renamed: renamed.text,
                }
            }
            Self::Segment => {
                let renamed = rename(text, snake_case)?;
                let call = renamed.member_text("type");
                let table_name = SEGMENT_CALLS
                    .iter()
                    .find(|name| call.as_deref() == Some(name));
                Kept {
                    table_name: table_name.copied().unwrap_or("data"),
                    renamed: renamed.text,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_and_the_setting_say_the_kind() {
        let of = |type_name: &str, properties: Value| {
            WebhookKind::of(type_name, properties.as_object().unwrap())
        };
        let generic = |key_name: Option<&str>| {
            Some(WebhookKind::Generic {
                key_name: key_name.map(str::to_owned),
            })
        };
        let key = || json!({"webhookz_primary_key": "order_id"});
        assert_eq!(
            of("webhook.incoming-webhook", key()),
            generic(Some("order_id"))
        );
        assert_eq!(of("webhook.incoming-webhook", json!({})), generic(None));
        assert_eq!(
            of(
                "webhook.incoming-webhook",
                json!({"webhookz_primary_key": ""})
            ),
            generic(None)
        );
        assert_eq!(of("webhook.zapier", json!({})), generic(None));
        assert_eq!(
            of("webhook.customerio", key()),
            Some(WebhookKind::CustomerIo)
        );
        assert_eq!(
            of("webhook.sendgrid", json!({})),
            Some(WebhookKind::SendGrid)
        );
        assert_eq!(of("webhook.segment", json!({})), Some(WebhookKind::Segment));
        assert_eq!(of("import_api", json!({})), None);
        assert_eq!(of("platform.postgres", json!({})), None);
    }
}
