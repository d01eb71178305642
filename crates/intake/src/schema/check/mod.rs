//! Holding the text of records against a schema, while it is read over for the first and mostly the only time.
//!
//! Members are expected in the order of the schema's properties, which is how most programs write them; others are looked up.
//! Nothing is built for a record that conforms. Only `uniqueItems`, `enum` and `const` make texts of lists, and objects and arrays
//! are read more than once where `anyOf`, `oneOf`, `allOf` or `not` leave a choice.

mod choice;
mod list;
mod scalar;

use selvedge_json::{Scanner, Usual};

use super::Schema;
use super::mismatch::Mismatch;
use super::rules::{Kinds, Node, NodeId};
use crate::instant::is_instant;
use crate::kind::Kind;
use crate::record::{Flaw, MAX_DATA_POINTS, NotFinite, Reader};
use choice::Subject;
use scalar::Token;

/// Bytes that are read again because of a choice: so many for each of the text, and so many anyway.
const EFFORT_PER_BYTE: usize = 32;
const EFFORT_ANYWAY: usize = 4 << 20;

/// Why a record is not taken.
#[derive(Debug)]
pub(crate) enum Unfit {
    Flaw(Flaw),
    /// It does not conform to the schema. Said where and how if the checker explains.
    Mismatch(Option<String>),
    /// It has more than [`MAX_DATA_POINTS`].
    TooLarge,
    /// The schema leaves so many choices that finding out takes too long.
    Exhausted,
}

#[derive(Debug)]
enum Stop {
    Flaw(Flaw),
    Mismatch(Option<Box<Mismatch>>),
    Exhausted,
}

impl<T: Into<Flaw>> From<T> for Stop {
    fn from(flaw: T) -> Self {
        Self::Flaw(flaw.into())
    }
}

impl Stop {
    /// The same, seen from the list around it.
    #[cold]
    fn within(self, segment: impl FnOnce() -> String) -> Self {
        match self {
            Self::Mismatch(Some(mismatch)) => {
                Self::Mismatch(Some(Box::new(mismatch.within(segment()))))
            }
            other => other,
        }
    }
}

type Checked = Result<(), Stop>;

/// What a checker writes on: it outlives the text that is checked, so that the next checker need not ask for room again.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Which properties could be part of the key in all records so far, and in this one; 64 to a word.
    keyable: Vec<u64>,
    keyable_here: Vec<u64>,
    /// Which properties the objects that are open have had, 64 to a word, innermost last.
    seen: Vec<u64>,
}

/// Checks records of one body, one after the other, until one of them is unfit.
#[derive(Debug)]
pub(crate) struct Checker<'s, 'a> {
    schema: &'s Schema,
    reader: Reader<'a>,
    notes: Notes,
    level: usize,
    /// How much may be done again.
    effort: usize,
    explains: bool,
}

impl<'s, 'a> Checker<'s, 'a> {
    /// For records out of a text of so many bytes.
    pub(crate) fn new(schema: &'s Schema, text_length: usize) -> Self {
        Self::on(Notes::default(), schema, text_length)
    }

    /// The same, with the notes of another checker to write on.
    pub(crate) fn on(mut notes: Notes, schema: &'s Schema, text_length: usize) -> Self {
        let words = schema.root_rules().required.len();
        notes.keyable.clear();
        notes.keyable.resize(words, u64::MAX);
        notes.keyable_here.clear();
        notes.keyable_here.resize(words, 0);
        notes.seen.clear();
        Self {
            schema,
            reader: Reader::new(NotFinite::Null),
            notes,
            level: 0,
            effort: text_length
                .saturating_mul(EFFORT_PER_BYTE)
                .saturating_add(EFFORT_ANYWAY),
            explains: false,
        }
    }

    /// The same, but says what a record does not conform to.
    pub(crate) fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Reads over the object that begins here.
    pub(crate) fn record(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Unfit> {
        self.reader.data_points = 0;
        self.notes.keyable_here.fill(0);
        match self.root(scanner) {
            Ok(()) if self.reader.data_points > MAX_DATA_POINTS => Err(Unfit::TooLarge),
            Ok(()) => {
                let Notes {
                    keyable,
                    keyable_here,
                    ..
                } = &mut self.notes;
                for (all, here) in keyable.iter_mut().zip(keyable_here) {
                    *all &= *here;
                }
                Ok(())
            }
            Err(Stop::Flaw(flaw)) => Err(Unfit::Flaw(flaw)),
            Err(Stop::Exhausted) => Err(Unfit::Exhausted),
            Err(Stop::Mismatch(mismatch)) => Err(Unfit::Mismatch(
                mismatch.map(|mismatch| mismatch.describe()),
            )),
        }
    }

    /// Which properties all records have with values that may be part of a key, 64 to a word: to be asked by
    /// [`Schema::all_keyable`].
    pub(crate) fn into_keyable(self) -> Vec<u64> {
        self.notes.keyable
    }

    /// For the next checker.
    pub(crate) fn into_notes(self) -> Notes {
        self.notes
    }

    fn root(&mut self, scanner: &mut Scanner<'a>) -> Checked {
        let schema = self.schema;
        let node = schema.node(schema.root);
        if !node.kinds.admit(Kinds::OBJECT) {
            return self.mismatch(|| wrong_type(node, Kind::JsonObject));
        }
        scanner.peek();
        let start = scanner.clone();
        self.members(schema.root_rules(), scanner, 0)?;
        match &node.combined {
            Some(combined) => {
                let length = scanner.position() - start.position();
                let subject = Subject::List {
                    start: &start,
                    depth: 0,
                    kinds: Kinds::OBJECT,
                    length,
                };
                self.combined(combined, &subject)
            }
            None => Ok(()),
        }
    }

    /// Holds the value that begins here against a schema.
    #[inline(always)]
    fn value(&mut self, id: NodeId, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        let schema = self.schema;
        let node = schema.node(id);
        scanner.peek();
        let start = scanner.position();
        if let Some(usual) = scanner.usual() {
            self.reader.data_points += 1;
            return match node.free.admit(Kinds::of_usual(usual)) {
                true => Ok(()),
                false => self.usual(node, usual, scanner.since(start)),
            };
        }
        self.other_value(node, scanner, depth)
    }

    /// Holds a value that was read over, and has rules, against a schema.
    #[inline(never)]
    fn usual(&mut self, node: &'s Node, usual: Usual, text: &'a str) -> Checked {
        let token = Token::of_usual(usual, text);
        match token {
            Token::String(string) if node.takes_instants && is_instant(string.text) => Ok(()),
            _ => self.token(node, token),
        }
    }

    #[inline(never)]
    fn other_value(&mut self, node: &'s Node, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        match scanner.peek() {
            b'{' => self.list(node, Kinds::OBJECT, scanner, depth),
            b'[' => self.list(node, Kinds::ARRAY, scanner, depth),
            b'"' => {
                let string = self.reader.string(scanner)?;
                self.token(node, Token::String(string))
            }
            _ => {
                let scalar = self.reader.scalar(scanner)?;
                self.token(node, Token::Other(scalar))
            }
        }
    }

    /// Uses up some of the effort that may be made.
    #[inline]
    fn spend(&mut self, effort: usize) -> Checked {
        match self.effort.checked_sub(effort) {
            Some(left) => {
                self.effort = left;
                Ok(())
            }
            None => Err(Stop::Exhausted),
        }
    }

    #[cold]
    fn mismatch(&self, explain: impl FnOnce() -> Mismatch) -> Checked {
        Err(Stop::Mismatch(self.explains.then(|| Box::new(explain()))))
    }
}

fn wrong_type(node: &Node, found: Kind) -> Mismatch {
    match node.kinds {
        Kinds::NONE => Mismatch::nothing_conforms(),
        kinds => Mismatch::wrong_type(kinds, found),
    }
}
