//! One text for all ways to write a value: two values are the same if their canonical texts are.

use selvedge_json::{BadString, Malformed, Number, Scalar, Scanner, unescape};

use super::Tree;
use super::decimal::Decimal;

/// Writes the value that begins here, which is well-formed: without white space, members sorted, numbers by their value.
pub(super) fn write(scanner: &mut Scanner<'_>, out: &mut String) -> Result<(), Malformed> {
    match scanner.peek() {
        b'{' => {
            scanner.skip_byte();
            let mut members = Vec::new();
            while scanner.another(members.is_empty(), b'}')? {
                let mut member = String::new();
                string(scanner, &mut member)?;
                scanner.expect(b':', "a colon was expected")?;
                member.push(':');
                write(scanner, &mut member)?;
                members.push(member);
            }
            object(members, out);
        }
        b'[' => {
            scanner.skip_byte();
            out.push('[');
            let mut first = true;
            while scanner.another(first, b']')? {
                if !first {
                    out.push(',');
                }
                first = false;
                write(scanner, out)?;
            }
            out.push(']');
        }
        b'"' => string(scanner, out)?,
        _ => scalar(scanner.scalar()?, out),
    }
    Ok(())
}

/// Writes a value that is neither string nor list.
pub(super) fn scalar(scalar: Scalar<'_>, out: &mut String) {
    match scalar {
        Scalar::Null | Scalar::NotFinite => out.push_str("null"),
        Scalar::Boolean(true) => out.push_str("true"),
        Scalar::Boolean(false) => out.push_str("false"),
        Scalar::Number(Number { text, .. }) => Decimal::new(text).canonical(out),
    }
}

fn string(scanner: &mut Scanner<'_>, out: &mut String) -> Result<(), Malformed> {
    match unescape(scanner.string()?) {
        Ok(text) => {
            characters(&text, out);
            Ok(())
        }
        Err(BadString::Malformed(problem)) => Err(scanner.malformed(problem)),
        Err(BadString::LoneSurrogate) => Err(scanner.malformed("half of a surrogate pair")),
    }
}

/// Writes a value of a schema.
pub(super) fn write_tree(tree: &Tree<'_>, out: &mut String) {
    match tree {
        Tree::Null => scalar(Scalar::Null, out),
        Tree::Boolean(value) => scalar(Scalar::Boolean(*value), out),
        Tree::Number(number) => scalar(Scalar::Number(*number), out),
        Tree::String(text) => characters(text, out),
        Tree::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_tree(item, out);
            }
            out.push(']');
        }
        Tree::Object(members) => {
            let mut written: Vec<String> = Vec::with_capacity(members.len());
            for (name, value) in members {
                let mut member = String::new();
                characters(name, &mut member);
                member.push(':');
                write_tree(value, &mut member);
                written.push(member);
            }
            object(written, out);
        }
    }
}

fn object(mut members: Vec<String>, out: &mut String) {
    members.sort_unstable();
    out.push('{');
    out.push_str(&members.join(","));
    out.push('}');
}

/// Writes a string so that it ends where it ends.
fn characters(text: &str, out: &mut String) {
    out.push_str(&text.len().to_string());
    out.push('"');
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_same_text_however_they_are_written() {
        let canonical = |text: &str| {
            let mut out = String::new();
            write(&mut Scanner::new(text), &mut out).unwrap();
            out
        };
        for (one, other, same) in [
            (r#"{"a":1,"b":[2.0]}"#, r#"{ "b":[2], "\u0061":1e0 }"#, true),
            (r#"[1,2]"#, "[2,1]", false),
            (r#""1""#, "1", false),
            (r#"["a","b"]"#, r#"["a,b"]"#, false),
            ("true", "1", false),
            ("[]", "{}", false),
            ("-0.0", "0", true),
        ] {
            assert_eq!(
                canonical(one) == canonical(other),
                same,
                "{one} and {other}"
            );
        }
    }
}
