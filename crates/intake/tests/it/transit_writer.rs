//! A small writer of Transit, as the format's description has it and independent of the reader.

use std::collections::HashMap;

use serde_json::Value;

/// A value, and how it is written.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    Null,
    Boolean(bool),
    Integer(i64),
    /// More digits than 64 bits hold.
    Huge(u128),
    Double(f64),
    Decimal(i64, u32),
    /// Milliseconds since 1970.
    Instant(i64),
    Text(String),
    Keyword(String),
    Symbol(String),
    Array(Vec<Model>),
    List(Vec<Model>),
    Set(Vec<Model>),
    /// Members in their order.
    Map(Vec<(Name, Model)>),
    /// The same with keys that need not be strings.
    Composite(Vec<(Name, Model)>),
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Text(String),
    Keyword(String),
    Integer(i64),
}

impl Name {
    /// What members are called.
    pub(crate) fn text(&self) -> String {
        match self {
            Name::Text(text) | Name::Keyword(text) => text.clone(),
            Name::Integer(integer) => integer.to_string(),
        }
    }
}

pub(crate) struct Writer {
    compact: bool,
    codes: HashMap<String, String>,
}

fn escaped(text: &str) -> String {
    match text.starts_with(['~', '^', '`']) {
        true => format!("~{text}"),
        false => text.to_owned(),
    }
}

impl Writer {
    pub(crate) fn new(compact: bool) -> Self {
        Self {
            compact,
            codes: HashMap::new(),
        }
    }

    fn string(&mut self, text: String, is_name: bool) -> Value {
        let has_sigil = ["~:", "~$", "~#"]
            .iter()
            .any(|sigil| text.starts_with(sigil));
        let cached = (is_name || has_sigil) && text.encode_utf16().count() > 3;
        if !self.compact || !cached {
            return Value::from(text);
        }
        if let Some(code) = self.codes.get(&text) {
            return Value::from(code.as_str());
        }
        if self.codes.len() == 44 * 44 {
            self.codes.clear();
        }
        let index = u32::try_from(self.codes.len()).unwrap();
        let digit = |digit: u32| char::from_u32(48 + digit).unwrap();
        let code = match index {
            0..44 => format!("^{}", digit(index)),
            _ => format!("^{}{}", digit(index / 44), digit(index % 44)),
        };
        self.codes.insert(text.clone(), code);
        Value::from(text)
    }

    fn tagged(&mut self, tag: &str, items: Vec<Model>) -> Value {
        let tag = format!("~#{tag}");
        match self.compact {
            true => {
                let tag = self.string(tag, false);
                Value::from(vec![tag, self.array(items)])
            }
            false => Value::Object([(tag, self.array(items))].into_iter().collect()),
        }
    }

    fn array(&mut self, items: Vec<Model>) -> Value {
        items.into_iter().map(|item| self.value(item)).collect()
    }

    fn name(&mut self, name: Name) -> Value {
        let text = match name {
            Name::Text(text) => escaped(&text),
            Name::Keyword(text) => format!("~:{text}"),
            Name::Integer(integer) => format!("~i{integer}"),
        };
        self.string(text, true)
    }

    pub(crate) fn value(&mut self, model: Model) -> Value {
        match model {
            Model::Null => Value::Null,
            Model::Boolean(value) => Value::from(value),
            Model::Integer(value) if value.unsigned_abs() >= 1 << 53 => {
                Value::from(format!("~i{value}"))
            }
            Model::Integer(value) => Value::from(value),
            Model::Huge(value) => Value::from(format!("~n{value}")),
            Model::Double(value) => Value::from(value),
            Model::Decimal(digits, scale) => Value::from(format!("~f{digits}e-{scale}")),
            Model::Instant(millis) => Value::from(format!("~m{millis}")),
            Model::Text(text) => self.string(escaped(&text), false),
            Model::Keyword(text) => self.string(format!("~:{text}"), false),
            Model::Symbol(text) => self.string(format!("~${text}"), false),
            Model::Array(items) => self.array(items),
            Model::List(items) => self.tagged("list", items),
            Model::Set(items) => self.tagged("set", items),
            Model::Map(members) if self.compact => {
                let mut items = vec![Value::from("^ ")];
                for (name, value) in members {
                    items.push(self.name(name));
                    items.push(self.value(value));
                }
                Value::from(items)
            }
            Model::Map(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let name = self.name(name).as_str().unwrap().to_owned();
                    (name, self.value(value))
                })
                .collect(),
            Model::Composite(members) => {
                let items = members.into_iter().flat_map(|(name, value)| {
                    let name = match name {
                        Name::Text(text) => Model::Text(text),
                        Name::Keyword(text) => Model::Keyword(text),
                        Name::Integer(integer) => Model::Integer(integer),
                    };
                    [name, value]
                });
                let items = items.collect();
                self.tagged("cmap", items)
            }
        }
    }
}

/// The JSON with tagged strings that the value is to become.
pub(crate) fn expected(model: &Model) -> Value {
    let all = |items: &[Model]| items.iter().map(expected).collect();
    match model {
        Model::Null => Value::Null,
        Model::Boolean(value) => Value::from(*value),
        Model::Integer(value) => Value::from(*value),
        Model::Huge(value) => Value::from(format!("~n{value}")),
        Model::Double(value) => Value::from(*value),
        Model::Decimal(digits, scale) => Value::from(format!("~f{digits}e-{scale}")),
        Model::Instant(millis) => {
            let instant = selvedge_types::Timestamp::from_micros(millis * 1_000);
            Value::from(format!("~t{}", instant.to_micros_string()))
        }
        Model::Text(text) | Model::Keyword(text) | Model::Symbol(text) => {
            match text.starts_with('~') {
                true => Value::from(format!("~{text}")),
                false => Value::from(text.as_str()),
            }
        }
        Model::Array(items) | Model::List(items) | Model::Set(items) => all(items),
        Model::Map(members) | Model::Composite(members) => members
            .iter()
            .map(|(name, value)| (name.text(), expected(value)))
            .collect(),
    }
}
