//! Values without inner parts.

use selvedge_json::{Number, RawString, Scalar, Usual, literal, unescape};

use super::choice::Subject;
use super::{Checked, Checker, wrong_type};
use crate::instant;
use crate::kind::Kind;
use crate::record::{Flaw, count_characters};
use crate::schema::decimal::Decimal;
use crate::schema::mismatch::{self, Mismatch};
use crate::schema::rules::{Bound, Format, Kinds, Node, NumberRules, StringRules};

/// A value without inner parts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    String(RawString<'a>),
    Other(Scalar<'a>),
}

impl<'a> Token<'a> {
    /// What was read over, of which this is the text.
    #[inline]
    pub(super) fn of_usual(usual: Usual, text: &'a str) -> Self {
        let number = |integer| Self::Other(Scalar::Number(Number { text, integer }));
        match usual {
            Usual::Null => Self::Other(Scalar::Null),
            Usual::Boolean => Self::Other(Scalar::Boolean(text.starts_with('t'))),
            Usual::Integer => number(true),
            Usual::Fraction => number(false),
            Usual::String => Self::String(RawString::plain(text)),
        }
    }

    pub(super) fn kinds(self) -> Kinds {
        match self {
            Self::String(_) => Kinds::STRING,
            Self::Other(Scalar::Null | Scalar::NotFinite) => Kinds::NULL,
            Self::Other(Scalar::Boolean(_)) => Kinds::BOOLEAN,
            Self::Other(Scalar::Number(number)) if number.integer => Kinds::INTEGER,
            Self::Other(Scalar::Number(_)) => Kinds::FRACTION,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Other(Scalar::Null | Scalar::NotFinite) => Kind::Null,
            Self::Other(Scalar::Boolean(_)) => Kind::Boolean,
            Self::Other(Scalar::Number(number)) => Kind::of_number(number.text, number.integer),
        }
    }

    pub(super) fn show(self) -> String {
        match self {
            Self::String(string) => mismatch::of_string(string),
            Self::Other(scalar) => mismatch::of_scalar(scalar),
        }
    }
}

impl<'s, 'a> Checker<'s, 'a> {
    /// Holds a value without inner parts against a schema.
    #[inline]
    pub(super) fn token(&mut self, node: &'s Node, token: Token<'a>) -> Checked {
        if !node.kinds.admit(token.kinds()) {
            // Words that are no numbers are null whatever the type.
            return match token {
                Token::Other(Scalar::NotFinite) => Ok(()),
                _ => self.mismatch(|| wrong_type(node, token.kind())),
            };
        }
        match (token, &node.string, &node.number) {
            (Token::String(string), Some(rules), _) => self.string(rules, string)?,
            (Token::Other(Scalar::Number(number)), _, Some(rules)) => self.number(rules, number)?,
            _ => {}
        }
        match &node.combined {
            Some(_) if matches!(token, Token::Other(Scalar::NotFinite)) => Ok(()),
            Some(combined) => self.combined(combined, &Subject::Scalar(token)),
            None => Ok(()),
        }
    }

    fn string(&mut self, rules: &'s StringRules, string: RawString<'a>) -> Checked {
        if rules.min_length.is_some() || rules.max_length.is_some() {
            let length = count_characters(string) as u64;
            if let Some(limit) = rules.min_length.filter(|limit| length < *limit) {
                return self.mismatch(|| Mismatch::length(limit, length));
            }
            if let Some(limit) = rules.max_length.filter(|limit| length > *limit) {
                return self.mismatch(|| Mismatch::length(limit, length));
            }
        }
        if rules.pattern.is_none() && rules.format.is_none() {
            return Ok(());
        }
        let Ok(text) = unescape(string) else {
            return Err(Flaw::LoneSurrogate.into());
        };
        if let Some(pattern) = &rules.pattern {
            self.spend(text.len())?;
            if !pattern.is_match(&text) {
                return self.mismatch(|| Mismatch::pattern(string, pattern.as_str()));
            }
        }
        match rules.format {
            Some(Format::DateTime) if !instant::is_instant(&text) => {
                self.mismatch(|| Mismatch::format(string, "date-time"))
            }
            Some(Format::Decimal)
                if literal::decimal(&text).is_none() && !literal::is_not_finite(&text) =>
            {
                self.mismatch(|| Mismatch::format(string, "singer.decimal"))
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self, rules: &'s NumberRules, number: Number<'a>) -> Checked {
        let integer = match number.integer {
            true => literal::integer(number.text),
            false => None,
        };
        for bound in &rules.bounds {
            if !within(bound, integer, number.text) {
                return self.mismatch(|| Mismatch::bound(number.text, bound));
            }
        }
        match &rules.multiple_of {
            Some((divisor, literal))
                if !divisor.plainly_divides(number.text)
                    && !divisor.divides(&Decimal::new(number.text)) =>
            {
                self.mismatch(|| Mismatch::multiple(number.text, literal))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a number keeps a bound; `integer` is its value if that has 64 bits.
fn within(bound: &Bound, integer: Option<i64>, literal: &str) -> bool {
    let order = match (integer, bound.integer) {
        (Some(number), Some(limit)) => number.cmp(&limit),
        _ => Decimal::new(literal).compare(&Decimal::new(&bound.literal)),
    };
    match (bound.lower, bound.exclusive) {
        (true, false) => order.is_ge(),
        (true, true) => order.is_gt(),
        (false, false) => order.is_le(),
        (false, true) => order.is_lt(),
    }
}
