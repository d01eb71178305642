//! Cold rewriting of JSON text: repeated members of an object, and members in sorted order.

use selvedge_json::{BadString, MAX_DEPTH, Malformed, Scanner, TOO_DEEP, unescape};

/// The order in which members are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Where the name came first.
    Arrival,
    /// By name.
    Sorted,
}

/// A value without white space, in which of repeated members of an object the last one counts.
pub(crate) fn rewrite(scanner: &mut Scanner<'_>, order: Order) -> Result<String, Malformed> {
    let mut text = String::new();
    write(scanner, order, 0, &mut text)?;
    Ok(text)
}

fn write(
    scanner: &mut Scanner<'_>,
    order: Order,
    depth: usize,
    text: &mut String,
) -> Result<(), Malformed> {
    if depth > MAX_DEPTH {
        return Err(scanner.malformed(TOO_DEEP));
    }
    match scanner.peek() {
        b'{' => {
            scanner.skip_byte();
            // Name, the name as it is written, value.
            let mut members: Vec<(String, &str, String)> = Vec::new();
            let mut places = std::collections::HashMap::new();
            let mut first = true;
            while scanner.another(first, b'}')? {
                first = false;
                let raw = scanner.string()?;
                let name = match unescape(raw) {
                    Ok(name) => name.into_owned(),
                    // Told apart as it is written; whoever reads it refuses it.
                    Err(BadString::LoneSurrogate) => raw.text.to_owned(),
                    Err(BadString::Malformed(problem)) => return Err(scanner.malformed(problem)),
                };
                scanner.expect(b':', "a colon was expected")?;
                let mut value = String::new();
                write(scanner, order, depth + 1, &mut value)?;
                match places.get(&name) {
                    Some(place) => {
                        let member: &mut (String, &str, String) = &mut members[*place];
                        member.2 = value;
                    }
                    None => {
                        places.insert(name.clone(), members.len());
                        members.push((name, raw.text, value));
                    }
                }
            }
            if order == Order::Sorted {
                members.sort_by(|left, right| left.0.cmp(&right.0));
            }
            text.push('{');
            for (index, (_, raw, value)) in members.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                for piece in ["\"", raw, "\":", value] {
                    text.push_str(piece);
                }
            }
            text.push('}');
        }
        b'[' => {
            scanner.skip_byte();
            text.push('[');
            let mut first = true;
            while scanner.another(first, b']')? {
                if !first {
                    text.push(',');
                }
                first = false;
                write(scanner, order, depth + 1, text)?;
            }
            text.push(']');
        }
        _ => scanner.copy_value(depth, text)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_repeated_members_counts_where_the_first_stood() {
        let text = r#" {"a": 1, "b": {"x":1,"x":[2, {"y":0,"y":1.50}]}, "\u0061": 3} "#;
        let rewritten = |order| rewrite(&mut Scanner::new(text), order).unwrap();
        assert_eq!(
            rewritten(Order::Arrival),
            r#"{"a":3,"b":{"x":[2,{"y":1.50}]}}"#
        );
        let unsorted = r#"{"b":1,"a":{"d":1,"c":2}}"#;
        assert_eq!(
            rewrite(&mut Scanner::new(unsorted), Order::Sorted).unwrap(),
            r#"{"a":{"c":2,"d":1},"b":1}"#
        );
    }
}
