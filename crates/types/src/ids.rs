//! Integer identities, one newtype per kind, so that a source id can never stand where a destination id is meant.

use serde::{Deserialize, Serialize};

/// The first id of every kind: clients print and sort ids, and expect six digits.
pub const FIRST_ID: i64 = 100_000;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            /// Decimal digits only: no sign, no blanks.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    // The standard error cannot be built by hand; parsing a non-digit makes one.
                    return "x".parse::<i64>().map($name);
                }
                text.parse().map($name)
            }
        }
    };
}

id!(
    /// A client account (`stitch_client_id` on the wire).
    AccountId
);
id!(
    /// A source, also called connection.
    SourceId
);
id!(
    /// A destination.
    DestinationId
);
id!(
    /// A stream of a source; the numeric id, not `tap_stream_id`.
    StreamId
);
id!(
    /// An access token's row, never its value.
    TokenId
);
id!(
    /// An Import API access token's row, never its value.
    ImportTokenId
);
id!(
    /// A custom recipient of notification mails.
    CustomEmailId
);
id!(
    /// A hook: an address that is called after loads.
    HookId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_from_digits_only() {
        assert_eq!("120643".parse::<SourceId>().unwrap(), SourceId(120_643));
        for bad in ["", "+1", "-1", " 1", "1a", "99999999999999999999"] {
            assert!(bad.parse::<SourceId>().is_err(), "{bad:?} parsed");
        }
    }
}
