//! Names and values in the form of web forms, as they arrive in queries and bodies.

use percent_encoding::percent_decode_str;

/// What was sent, in the order it was sent in.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

/// A text that is no form, or has a name twice that may be there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a form, or a parameter is repeated")]
pub struct MalformedParameters;

impl Parameters {
    /// Reads `name=value&…` with percent-encoded UTF-8 and `+` for blanks.
    pub fn parse(text: &str) -> Result<Self, MalformedParameters> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decoded(name)?, decoded(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of a name. One that is empty counts as not sent, one that is sent twice as malformed.
    pub fn one(&self, name: &str) -> Result<Option<&str>, MalformedParameters> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(MalformedParameters),
            (found, None) => Ok(found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())),
        }
    }
}

fn decoded(text: &str) -> Result<String, MalformedParameters> {
    let text = text.replace('+', " ");
    percent_decode_str(&text)
        .decode_utf8()
        .map(|text| text.into_owned())
        .map_err(|_| MalformedParameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_are_as_not_sent() {
        let sent = Parameters::parse("a=1%202+3&&b=&c&d=x=y&%C3%A9=%E2%82%AC").unwrap();
        for (name, value) in [
            ("a", Some("1 2 3")),
            ("b", None),
            ("c", None),
            ("d", Some("x=y")),
            ("é", Some("€")),
            ("e", None),
        ] {
            assert_eq!(sent.one(name), Ok(value), "{name}");
        }
    }

    #[test]
    fn repeated_names_and_broken_texts_are_refused() {
        let sent = Parameters::parse("a=1&a=1&b=&b=").unwrap();
        assert_eq!(sent.one("a"), Err(MalformedParameters));
        assert_eq!(sent.one("b"), Err(MalformedParameters));
        assert_eq!(sent.one("c"), Ok(None));
        assert!(Parameters::parse("a=%FF").is_err());
        assert!(Parameters::parse("%C3=1").is_err());
    }
}
