//! Keeps secrets out of what a tap says: as they are, and in the forms in which programs usually write them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use selvedge_connector::ConnectorError;
use serde_json::Value;

/// Stands where a secret stood.
const MASK: &str = "***";

/// Shorter ones are taken for secrets only where they are words of their own: a password `test` must not make a puzzle of
/// the whole log.
const ANYWHERE_FROM: usize = 6;
/// Shorter ones are no secrets.
const AT_LEAST: usize = 3;
/// Shorter parts of base64 text could be anything.
const BASE64_AT_LEAST: usize = 8;
/// Shorter lines and members of a secret that is a document say nothing.
const PART_AT_LEAST: usize = 12;

/// Everything that `encodeURIComponent` and Python's `quote(…, safe='')` escape.
const URL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secrets of one tap. It learns new ones while it is in use.
pub struct Redactor {
    known: RwLock<Known>,
}

struct Known {
    secrets: BTreeSet<String>,
    finder: Option<Arc<Finder>>,
}

struct Finder {
    automaton: AhoCorasick,
    /// By pattern: whether it only counts as a word of its own.
    word: Vec<bool>,
    longest: usize,
}

impl Redactor {
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let redactor = Self {
            known: RwLock::new(Known {
                secrets: BTreeSet::new(),
                finder: None,
            }),
        };
        redactor.learn(secrets);
        redactor
    }

    /// These are secrets from now on.
    pub fn learn(&self, secrets: impl IntoIterator<Item = String>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.secrets.len();
        known.secrets.extend(secrets.into_iter().filter(|secret| {
            secret.len() >= AT_LEAST && !matches!(secret.as_str(), "true" | "false" | "null")
        }));
        if known.secrets.len() > before {
            known.finder = Finder::new(&known.secrets).map(Arc::new);
        }
    }

    /// All the texts in a value are secrets from now on.
    pub fn learn_value(&self, value: &Value) {
        let mut texts = Vec::new();
        collect_texts(value, &mut texts);
        self.learn(texts);
    }

    /// The text with every secret masked.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_until(text, text.len())
    }

    /// The text up to about `limit` bytes, with every secret masked that begins there. No part of a secret is left when
    /// the text is [`Redactor::lookahead`] bytes longer than the limit, wherever it was cut itself.
    pub fn redact_until<'a>(&self, text: &'a str, limit: usize) -> Cow<'a, str> {
        let limit = text.floor_char_boundary(limit);
        let Some(finder) = self.finder() else {
            return Cow::Borrowed(&text[..limit]);
        };
        let found = finder.find(text);
        let mut found = found.take_while(|range| range.start < limit).peekable();
        if found.peek().is_none() {
            return Cow::Borrowed(&text[..limit]);
        }
        let mut masked = String::with_capacity(limit);
        let mut end = 0;
        for range in found {
            masked.push_str(&text[end..range.start]);
            masked.push_str(MASK);
            end = range.end;
        }
        masked.push_str(text.get(end..limit).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// An error without secrets in its texts.
    pub fn redact_error(&self, mut error: ConnectorError) -> ConnectorError {
        error.message = self.redact(&error.message).into_owned();
        let detail = error.detail.take();
        error.detail = detail.map(|text| self.redact(&text).into_owned());
        error
    }

    /// Bytes that have to be known behind a place to tell whether a secret begins before it.
    pub fn lookahead(&self) -> usize {
        self.finder().map_or(0, |finder| finder.longest)
    }

    fn finder(&self) -> Option<Arc<Finder>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.finder.clone()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Finder {
    fn new(secrets: &BTreeSet<String>) -> Option<Self> {
        let mut patterns = BTreeSet::new();
        for secret in secrets {
            collect_forms(secret, &mut patterns);
        }
        let patterns: Vec<String> = patterns.into_iter().collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns);
        match automaton {
            Ok(automaton) if !patterns.is_empty() => Some(Self {
                automaton,
                word: patterns.iter().map(|p| p.len() < ANYWHERE_FROM).collect(),
                longest: patterns.iter().map(String::len).max().unwrap_or(0),
            }),
            Ok(_) => None,
            Err(error) => {
                // Only for gigabytes of secrets, which no configuration has.
                tracing::error!(%error, "the secrets of a tap cannot be looked for");
                None
            }
        }
    }

    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.automaton.find_iter(text).filter_map(move |found| {
            let word = self.word.get(found.pattern().as_usize());
            let counts = word != Some(&true) || stands_alone(text, &found.range());
            // Patterns are UTF-8, so a match ends where characters end.
            counts.then(|| found.range())
        })
    }
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    ![before, after]
        .into_iter()
        .flatten()
        .any(char::is_alphanumeric)
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(members) => members
            .values()
            .for_each(|member| collect_texts(member, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A secret with its lines and members, each in all forms.
fn collect_forms(secret: &str, forms: &mut BTreeSet<String>) {
    collect_encodings(secret, forms);
    let lines = |text: &str, forms: &mut BTreeSet<String>| {
        for line in text.lines().map(str::trim) {
            // Every key begins and ends with the same lines.
            if line.len() >= PART_AT_LEAST && !line.starts_with("-----") {
                collect_encodings(line, forms);
            }
        }
    };
    if secret.contains('\n') {
        lines(secret, forms);
    }
    let document = serde_json::from_str::<Value>(secret).ok();
    if let Some(document @ (Value::Object(_) | Value::Array(_))) = document {
        let mut texts = Vec::new();
        collect_texts(&document, &mut texts);
        for text in texts.iter().filter(|text| text.len() >= PART_AT_LEAST) {
            collect_encodings(text, forms);
            lines(text, forms);
        }
    }
}

fn collect_encodings(text: &str, forms: &mut BTreeSet<String>) {
    forms.insert(text.to_owned());
    let json = Value::from(text).to_string();
    let inner = json.trim_start_matches('"');
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    forms.insert(inner.to_owned());
    forms.insert(ascii_escaped(inner));
    // How Python shows a text.
    let shown = text.escape_debug().to_string();
    forms.insert(shown.replace("\\\"", "\""));
    let url = utf8_percent_encode(text, URL).to_string();
    // Forms of addresses write a space as a plus, and Python leaves slashes alone.
    for form in [url.replace("%20", "+"), url.replace("%2F", "/"), url] {
        forms.insert(lower_escapes(&form));
        forms.insert(form);
    }
    collect_base64(text.as_bytes(), forms);
    forms.retain(|form| form.len() >= AT_LEAST);
}

/// What the text looks like inside of base64, wherever it begins there.
fn collect_base64(bytes: &[u8], forms: &mut BTreeSet<String>) {
    for (before, spoilt) in [(0, 0), (1, 2), (2, 3)] {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(bytes);
        let whole = shifted.len() * 8 / 6;
        for encoded in [
            STANDARD_NO_PAD.encode(&shifted),
            URL_SAFE_NO_PAD.encode(&shifted),
        ] {
            // Characters at the edges depend on what stands beside the secret.
            if let Some(own) = encoded.get(spoilt..whole)
                && own.len() >= BASE64_AT_LEAST
            {
                forms.insert(own.to_owned());
            }
        }
    }
}

/// JSON as Python writes it: only ASCII.
fn ascii_escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

fn lower_escapes(url: &str) -> String {
    let mut lower = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        let end = (at + 3).min(rest.len());
        lower.push_str(&rest[..at]);
        lower.push_str(&rest[at..end].to_ascii_lowercase());
        rest = &rest[end..];
    }
    lower.push_str(rest);
    lower
}

#[cfg(test)]
mod tests;
