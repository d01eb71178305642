//! Where objects go: keys made from a template.
//!
//! `[integration_name]/[table_name]/[table_version]_[timestamp_loaded].[csv|jsonl]` is the default. The four elements and
//! the extension have to be there; `[year_loaded]`, `[month_loaded]`, `[day_loaded]`, `[hour_loaded]` (UTC) and fixed text
//! may be. `[csv|jsonl]` stands for the extension of the destination's format, whichever that is.

use std::fmt::Write;

use selvedge_connector::ConnectorError;
use selvedge_types::Timestamp;

/// The template of destinations that do not choose one.
pub(crate) const DEFAULT: &str =
    "[integration_name]/[table_name]/[table_version]_[timestamp_loaded].[csv|jsonl]";

/// Longest template, in characters.
const MAX_CHARACTERS: usize = 500;

/// Characters that no template may have.
const FORBIDDEN: [char; 9] = [' ', '!', '@', '#', '$', '%', '^', '&', '*'];

const EXTENSION_ELEMENT: &str = ".[csv|jsonl]";

/// Elements in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    IntegrationName,
    TableName,
    TableVersion,
    TimestampLoaded,
    YearLoaded,
    MonthLoaded,
    DayLoaded,
    HourLoaded,
}

const ELEMENTS: [(&str, Element); 8] = [
    ("integration_name", Element::IntegrationName),
    ("table_name", Element::TableName),
    ("table_version", Element::TableVersion),
    ("timestamp_loaded", Element::TimestampLoaded),
    ("year_loaded", Element::YearLoaded),
    ("month_loaded", Element::MonthLoaded),
    ("day_loaded", Element::DayLoaded),
    ("hour_loaded", Element::HourLoaded),
];

/// The first so many of [`ELEMENTS`] have to occur.
const REQUIRED: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Element(Element),
}

/// A template that keys can be made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyTemplate {
    /// Without the extension.
    parts: Vec<Part>,
}

/// What a key is made of besides the template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyNames<'a> {
    pub(crate) integration: &'a str,
    /// One [`segment`], or several with `/` between them for a subtable.
    pub(crate) table: &'a str,
    pub(crate) table_version: i64,
}

impl KeyTemplate {
    /// Reads the property `s3_key_format_string`. `extension` is that of the destination's format, without the point.
    pub(crate) fn parse(text: &str, extension: &str) -> Result<Self, ConnectorError> {
        let refuse = |why: String| {
            ConnectorError::configuration(format!("the property s3_key_format_string {why}"))
        };
        if text.chars().count() > MAX_CHARACTERS {
            return Err(refuse(format!(
                "is longer than {MAX_CHARACTERS} characters"
            )));
        }
        let bad = |c: &char| FORBIDDEN.contains(c) || c.is_control() || *c == '\\';
        if let Some(character) = text.chars().find(bad) {
            return Err(refuse(match character {
                ' ' => "must not contain spaces".to_owned(),
                other => format!("must not contain {other:?}"),
            }));
        }
        let Some(stem) = text
            .strip_suffix(EXTENSION_ELEMENT)
            .or_else(|| text.strip_suffix(extension)?.strip_suffix('.'))
        else {
            return Err(refuse(format!(
                "must end in .{extension} or {EXTENSION_ELEMENT}"
            )));
        };
        let mut parts = Vec::new();
        let mut rest = stem;
        while let Some((before, after)) = rest.split_once('[') {
            let Some((name, behind)) = after.split_once(']') else {
                return Err(refuse("has a [ without its ]".to_owned()));
            };
            let Some((_, element)) = ELEMENTS.iter().find(|(known, _)| *known == name) else {
                return Err(refuse(format!("has the unknown element [{name}]")));
            };
            push_text(&mut parts, before);
            parts.push(Part::Element(*element));
            rest = behind;
        }
        push_text(&mut parts, rest);
        for (name, element) in &ELEMENTS[..REQUIRED] {
            if !parts.contains(&Part::Element(*element)) {
                return Err(refuse(format!("must contain the element [{name}]")));
            }
        }
        let template = Self { parts };
        if template
            .parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.contains([']', '|'])))
        {
            return Err(refuse("has a ] or | outside of an element".to_owned()));
        }
        let sample = template.stem(
            KeyNames {
                integration: "i",
                table: "t",
                table_version: 0,
            },
            0,
        );
        if sample
            .split('/')
            .any(|segment| matches!(segment, "" | "." | ".."))
        {
            return Err(refuse(
                "must not begin with /, and no name between two / may be empty, . or ..".to_owned(),
            ));
        }
        Ok(template)
    }

    /// The key of an object loaded at `loaded_at` (milliseconds since 1970).
    pub(crate) fn key(&self, names: KeyNames<'_>, loaded_at: i64, extension: &str) -> String {
        let mut key = self.stem(names, loaded_at);
        key.push('.');
        key.push_str(extension);
        key
    }

    fn stem(&self, names: KeyNames<'_>, loaded_at: i64) -> String {
        // `2031-02-03T04:05:06.789Z`
        let instant = Timestamp::from_micros(loaded_at.saturating_mul(1_000)).to_millis_string();
        let digits = |range: std::ops::Range<usize>| instant.get(range).unwrap_or_default();
        let mut key = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Element(Element::IntegrationName) => key.push_str(names.integration),
                Part::Element(Element::TableName) => key.push_str(names.table),
                // Writing to a `String` cannot fail.
                Part::Element(Element::TableVersion) => {
                    let _ = write!(key, "{}", names.table_version);
                }
                Part::Element(Element::TimestampLoaded) => {
                    let _ = write!(key, "{loaded_at}");
                }
                Part::Element(Element::YearLoaded) => key.push_str(digits(0..4)),
                Part::Element(Element::MonthLoaded) => key.push_str(digits(5..7)),
                Part::Element(Element::DayLoaded) => key.push_str(digits(8..10)),
                Part::Element(Element::HourLoaded) => key.push_str(digits(11..13)),
            }
        }
        key
    }

    /// The fixed folders that every key begins with: empty, or ending in `/`.
    pub(crate) fn fixed_folder(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text.rfind('/').map_or("", |slash| &text[..=slash]),
            _ => "",
        }
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// A name as one segment of a key. What would be a folder of its own, or no name to a file system, is written as `%` and
/// two hexadecimal digits; so is `%` itself, so that two names never become one.
pub(crate) fn segment(name: &str) -> String {
    if name == "." || name == ".." {
        return name.replace('.', "%2E");
    }
    let mut encoded = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_control() || matches!(character, '/' | '\\' | '%') {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{:02X}", u32::from(character));
        } else {
            encoded.push(character);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADED_AT: i64 = 1_700_000_012_345;

    fn names(table: &str) -> KeyNames<'_> {
        KeyNames {
            integration: "fx",
            table,
            table_version: 1_700_000_000_000,
        }
    }

    fn key(template: &str, extension: &str) -> String {
        KeyTemplate::parse(template, extension)
            .unwrap()
            .key(names("rates"), LOADED_AT, extension)
    }

    #[test]
    fn the_default_is_integration_table_version_and_time() {
        assert_eq!(
            key(DEFAULT, "jsonl"),
            "fx/rates/1700000000000_1700000012345.jsonl"
        );
        assert_eq!(
            key(DEFAULT, "parquet"),
            "fx/rates/1700000000000_1700000012345.parquet"
        );
    }

    #[test]
    fn every_element_has_its_value() {
        let template = "raw/[year_loaded]/[month_loaded]/[day_loaded]/[hour_loaded]/v[table_version]/[integration_name]\
                        __[table_name]/[timestamp_loaded].csv";
        assert_eq!(
            key(template, "csv"),
            "raw/2023/11/14/22/v1700000000000/fx__rates/1700000012345.csv"
        );
        let parsed = KeyTemplate::parse(template, "csv").unwrap();
        assert_eq!(parsed.fixed_folder(), "raw/");
        assert_eq!(
            KeyTemplate::parse(DEFAULT, "csv").unwrap().fixed_folder(),
            ""
        );
    }

    #[test]
    fn a_subtable_is_a_folder_below_its_table() {
        let template = KeyTemplate::parse(DEFAULT, "csv").unwrap();
        let names = KeyNames {
            table_version: 1,
            ..names("contacts/personas")
        };
        assert_eq!(
            template.key(names, LOADED_AT, "csv"),
            "fx/contacts/personas/1_1700000012345.csv"
        );
    }

    #[test]
    fn templates_that_cannot_work_are_refused_with_the_reason() {
        let without = |element: &str| DEFAULT.replace(element, "x");
        let cases = [
            (
                without("[integration_name]"),
                "must contain the element [integration_name]",
            ),
            (
                without("[table_name]"),
                "must contain the element [table_name]",
            ),
            (
                without("[table_version]"),
                "must contain the element [table_version]",
            ),
            (
                without("[timestamp_loaded]"),
                "must contain the element [timestamp_loaded]",
            ),
            (without(".[csv|jsonl]"), "must end in .csv or .[csv|jsonl]"),
            (
                DEFAULT.replace("[csv|jsonl]", "jsonl"),
                "must end in .csv or .[csv|jsonl]",
            ),
            (
                format!("[minute_loaded]/{DEFAULT}"),
                "has the unknown element [minute_loaded]",
            ),
            (format!("my files/{DEFAULT}"), "must not contain spaces"),
            (format!("a&b/{DEFAULT}"), "must not contain '&'"),
            (format!("a*/{DEFAULT}"), "must not contain '*'"),
            (
                format!("{}/{DEFAULT}", "x".repeat(500)),
                "is longer than 500 characters",
            ),
            (
                format!("/{DEFAULT}"),
                "must not begin with /, and no name between two / may be empty, . or ..",
            ),
            (
                format!("../{DEFAULT}"),
                "must not begin with /, and no name between two / may be empty, . or ..",
            ),
            (
                format!("a]/{DEFAULT}"),
                "has a ] or | outside of an element",
            ),
        ];
        for (template, why) in cases {
            assert_eq!(
                KeyTemplate::parse(&template, "csv").unwrap_err().message,
                format!("the property s3_key_format_string {why}"),
                "{template}"
            );
        }
        let longest = format!("{}/{DEFAULT}", "x".repeat(499 - DEFAULT.len()));
        assert_eq!(longest.len(), 500);
        assert!(KeyTemplate::parse(&longest, "csv").is_ok());
    }

    #[test]
    fn names_stay_apart_and_inside_their_folder() {
        for (name, expected) in [
            ("Order Lines", "Order Lines"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("..", "%2E%2E"),
            ("a\nb\\c", "a%0Ab%5Cc"),
            ("größe", "größe"),
        ] {
            assert_eq!(segment(name), expected);
        }
    }
}
