//! Names and instants inside SQL.

use selvedge_types::Timestamp;

/// `name` as a quoted identifier.
pub(crate) fn quote_identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `schema.table`, both quoted.
pub(crate) fn quote_qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(table))
}

/// `` `a`, `b` ``.
pub(crate) fn column_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for name in names {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&quote_identifier(name));
    }
    list
}

/// An instant of ours as a `DATETIME(6)`: UTC, without a zone.
pub(crate) fn datetime(instant: Timestamp) -> String {
    let text = instant.to_micros_string();
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_are_doubled() {
        assert_eq!(quote_qualified("my`shop", "t"), "`my``shop`.`t`");
        assert_eq!(column_list(["a", "b`"]), "`a`, `b```");
    }

    #[test]
    fn instants_lose_their_letters() {
        let instant = Timestamp::parse("2031-02-03T04:05:06.789012Z").unwrap();
        assert_eq!(datetime(instant), "2031-02-03 04:05:06.789012");
    }
}
