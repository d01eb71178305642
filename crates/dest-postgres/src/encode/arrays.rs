//! PostgreSQL's text form of arrays (`{1,NULL,"a b"}`, `[0:1]={…}`, nested) into the binary form. Only with native
//! fidelity, and not on the path of ordinary columns.
//!
//! Binary layout (`array_send`): dimensions, whether there are NULLs, the item's type, size and lower bound of each
//! dimension, then the items as in a row. Text syntax: "Array Input and Output Syntax" in the server's manual.

mod items;

use selvedge_shape::ColumnType;

use super::{BadValue, NULL, put_measured};

/// The server's own limit.
const MAX_DIMENSIONS: usize = 6;

pub(super) fn write(text: &str, item: &ColumnType, out: &mut Vec<u8>) -> Result<(), BadValue> {
    let oid = items::type_oid(item).ok_or(BadValue::Malformed)?;
    let (bounds, body) = lower_bounds(text)?;
    let mut parser = Parser {
        rest: body,
        item,
        sizes: Vec::new(),
        item_depth: None,
        has_nulls: false,
        items: Vec::new(),
    };
    parser.array(0)?;
    if !parser.rest.is_empty() {
        return Err(BadValue::Malformed);
    }
    let dimensions = match parser.items.is_empty() {
        true => 0,
        false => parser.sizes.len(),
    };
    if dimensions > 0 && !bounds.is_empty() && bounds.len() != dimensions {
        return Err(BadValue::Malformed);
    }
    out.extend_from_slice(&(dimensions as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(parser.has_nulls).to_be_bytes());
    out.extend_from_slice(&oid.to_be_bytes());
    for (dimension, size) in parser.sizes.iter().take(dimensions).enumerate() {
        let lower = bounds.get(dimension).copied().unwrap_or(1);
        out.extend_from_slice(&size.unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&lower.to_be_bytes());
    }
    out.extend_from_slice(&parser.items);
    Ok(())
}

/// Splits `[2:3][0:1]={…}` into the lower bounds and the rest; most arrays have none.
fn lower_bounds(text: &str) -> Result<(Vec<i32>, &str), BadValue> {
    if !text.starts_with('[') {
        return Ok((Vec::new(), text));
    }
    let (prefix, body) = text.split_once("]=").ok_or(BadValue::Malformed)?;
    let bounds = prefix
        .strip_prefix('[')
        .unwrap_or(prefix)
        .split("][")
        .map(|range| {
            let lower = range.split(':').next().unwrap_or_default();
            lower.parse().map_err(|_| BadValue::Malformed)
        })
        .collect::<Result<_, _>>()?;
    Ok((bounds, body))
}

struct Parser<'a> {
    rest: &'a str,
    item: &'a ColumnType,
    /// Size of each dimension, once its first array was read to the end.
    sizes: Vec<Option<i32>>,
    /// The depth at which items stand: the same for all.
    item_depth: Option<usize>,
    has_nulls: bool,
    /// Encoded items, each behind its length.
    items: Vec<u8>,
}

impl Parser<'_> {
    fn array(&mut self, depth: usize) -> Result<(), BadValue> {
        let too_deep =
            depth == MAX_DIMENSIONS || self.item_depth.is_some_and(|items| depth > items);
        if too_deep || !self.take('{') {
            return Err(BadValue::Malformed);
        }
        if self.sizes.len() == depth {
            self.sizes.push(None);
        }
        let mut size = 0_i32;
        if !self.take('}') {
            loop {
                if self.rest.starts_with('{') {
                    self.array(depth + 1)?;
                } else if *self.item_depth.get_or_insert(depth) == depth {
                    self.item()?;
                } else {
                    return Err(BadValue::Malformed);
                }
                size += 1;
                if self.take('}') {
                    break;
                }
                if !self.take(',') {
                    return Err(BadValue::Malformed);
                }
            }
        }
        let known = &mut self.sizes[depth];
        match *known {
            Some(other) if other != size => Err(BadValue::Malformed),
            _ => {
                *known = Some(size);
                Ok(())
            }
        }
    }

    fn item(&mut self) -> Result<(), BadValue> {
        let item = self.item;
        if self.take('"') {
            let text = self.quoted()?;
            return put_measured(&mut self.items, |out| items::write(&text, item, out));
        }
        let end = self.rest.find([',', '}']).ok_or(BadValue::Malformed)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if text.eq_ignore_ascii_case("null") {
            self.has_nulls = true;
            self.items.extend_from_slice(&NULL);
            return Ok(());
        }
        put_measured(&mut self.items, |out| items::write(text, item, out))
    }

    /// What stands between double quotes, the first of which is taken already.
    fn quoted(&mut self) -> Result<String, BadValue> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => {
                    let (_, escaped) = characters.next().ok_or(BadValue::Malformed)?;
                    text.push(escaped);
                }
                _ => text.push(character),
            }
        }
        Err(BadValue::Malformed)
    }

    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_arrays_are_refused() {
        for bad in [
            "",
            "{",
            "}",
            "1",
            "{1",
            "{1,}",
            "{1}x",
            "{{1},2}",
            "{1,{2}}",
            "{{1,2},{3}}",
            "{\"a}",
            "{x}",
            "[0:1={1}",
            "[0:0][0:0]={1}",
            "{{{{{{{1}}}}}}}",
        ] {
            let mut out = Vec::new();
            assert!(
                write(bad, &ColumnType::Integer, &mut out).is_err(),
                "{bad:?} was accepted"
            );
        }
    }
}
