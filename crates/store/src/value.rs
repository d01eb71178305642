//! Values on their way into a statement: three column types, each of which may be null.

use selvedge_types::{
    AccountId, AccountScope, CustomEmailId, DestinationId, HookId, ImportTokenId, SourceId,
    StreamId, Timestamp, TokenId,
};

/// A bound parameter.
#[derive(Clone)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

/// The parameters of a statement, in the order of its placeholders.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::value::Value::from($value)),*]
    };
}
pub(crate) use values;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(Some(i64::from(value)))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(Some(value))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Blob(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Integer(Some(value.as_micros()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Integer(value.map(Timestamp::as_micros))
    }
}

impl From<AccountScope> for Value {
    fn from(value: AccountScope) -> Self {
        value.account().into()
    }
}

macro_rules! from_id {
    ($($id:ty),*) => {
        $(
            impl From<$id> for Value {
                fn from(value: $id) -> Self {
                    Self::Integer(Some(value.0))
                }
            }

            impl From<Option<$id>> for Value {
                fn from(value: Option<$id>) -> Self {
                    Self::Integer(value.map(|id| id.0))
                }
            }
        )*
    };
}

from_id!(
    AccountId,
    SourceId,
    DestinationId,
    StreamId,
    TokenId,
    ImportTokenId,
    CustomEmailId,
    HookId
);
