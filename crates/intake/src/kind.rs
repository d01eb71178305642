//! Names of the kinds of JSON values, as refusals call them.

use selvedge_json::{Scalar, Scanner};

/// What a value is, in the words of the validator whose texts the contract quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    /// An integer beyond 32 bits.
    Long,
    /// A number with a fraction or an exponent.
    BigDecimal,
    String,
    JsonObject,
    JsonArray,
}

impl Kind {
    /// The kind of the value that begins here, which is well-formed.
    pub(crate) fn of_next(scanner: &Scanner<'_>) -> Self {
        let mut scanner = scanner.clone();
        match scanner.peek() {
            b'{' => Self::JsonObject,
            b'[' => Self::JsonArray,
            b'"' => Self::String,
            _ => match scanner.scalar() {
                Ok(Scalar::Boolean(_)) => Self::Boolean,
                Ok(Scalar::Number(number)) => Self::of_number(number.text, number.integer),
                Ok(Scalar::Null | Scalar::NotFinite) | Err(_) => Self::Null,
            },
        }
    }

    pub(crate) fn of_number(text: &str, integer: bool) -> Self {
        match integer {
            true if text.parse::<i32>().is_ok() => Self::Integer,
            true => Self::Long,
            false => Self::BigDecimal,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::Long => "Long",
            Self::BigDecimal => "BigDecimal",
            Self::String => "String",
            Self::JsonObject => "JSONObject",
            Self::JsonArray => "JSONArray",
        }
    }
}
