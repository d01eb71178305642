//! The shaper: records one by one in, batches out.

use std::borrow::Cow;

use arrow_schema::ArrowError;
use selvedge_connector::{
    Nesting, RecordTexts, RefusedRecord, ShapedBatch, SubtableBatch, SystemValues,
};
use selvedge_json::{
    BadString, MAX_DEPTH, Malformed, Number, RawString, Scalar, Scanner, TOO_DEEP, Usual, literal,
    unescape,
};
use serde_json::Value;

use super::columns::Kind;
use super::repeated::{Order, rewrite};
use super::rules::{NumberKind, Rules, TextKind};
use super::tagged::{Tagged, plain};
use super::tree::{MAX_PLACES, NONE, ROOT, TooManyPlaces, Tree};
use crate::Rejection;

/// Cells of a batch, NULLs included: many rows with few columns, or few with many.
const MAX_CELLS: usize = 1_000_000;

/// Turns JSON records of one stream into batches.
///
/// Values are typed by the schema where it speaks of them and by their literals elsewhere; a place with values of several
/// types has a field for each. With [`Nesting::Subtables`] objects are flattened and arrays become rows of subtables, with
/// [`Nesting::Json`] both are fields of JSON text. What was seen of the structure is kept from batch to batch.
#[derive(Debug)]
pub struct JsonShaper {
    nesting: Nesting,
    destination: &'static str,
    key: Vec<String>,
    rules: Rules,
    /// Whether strings may be tagged.
    is_tagged: bool,
    tree: Tree,
    /// Objects begun so far: each has a number of its own.
    objects_met: u64,
    /// Indices in the arrays around the current value, outermost first.
    indices: Vec<i32>,
    /// For JSON text and strings with escapes.
    scratch: String,
    texts: RecordTexts,
    pub(super) refused: Vec<RefusedRecord>,
    refused_bytes: usize,
    not_finite: u64,
}

/// Why a record did not go in.
enum Trouble {
    Malformed(Malformed),
    /// An object has two members of one name: the record is read again without the first.
    Repeated,
    Rejected(Rejection),
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Trouble::Malformed(malformed)
    }
}

impl From<TooManyPlaces> for Trouble {
    fn from(_: TooManyPlaces) -> Self {
        Trouble::Rejected(Rejection::TooManyColumns)
    }
}

impl JsonShaper {
    /// For records without a schema. `destination` is its name in messages; `key` are the key fields.
    pub fn new(nesting: Nesting, destination: &'static str, key: &[String]) -> Self {
        Self::with_rules(nesting, destination, key, Rules::by_value())
    }

    /// For records that `schema`, a JSON Schema, describes. Whether they conform is not examined.
    pub fn with_schema(
        nesting: Nesting,
        destination: &'static str,
        key: &[String],
        schema: &Value,
    ) -> Self {
        Self::with_rules(nesting, destination, key, Rules::from_schema(schema))
    }

    /// For records without a schema whose strings may begin with a tag: `~t` an instant (RFC 3339), `~f` a decimal, `~n` an
    /// integer of any size, `~~` a text that begins with a tilde. Where JSON is shown as text, in fields and for rejected
    /// records, it has the values without tags.
    pub fn tagged(nesting: Nesting, destination: &'static str, key: &[String]) -> Self {
        Self {
            is_tagged: true,
            ..Self::with_rules(nesting, destination, key, Rules::by_tag())
        }
    }

    fn with_rules(
        nesting: Nesting,
        destination: &'static str,
        key: &[String],
        rules: Rules,
    ) -> Self {
        Self {
            nesting,
            destination,
            key: key.to_vec(),
            tree: Tree::new(key, &rules),
            rules,
            is_tagged: false,
            objects_met: 0,
            indices: Vec::new(),
            scratch: String::new(),
            texts: RecordTexts::default(),
            refused: Vec::new(),
            refused_bytes: 0,
            not_finite: 0,
        }
    }

    /// Takes a record, the text of a JSON object. Whether it became the next row: if not, it waits among the refused ones.
    ///
    /// # Errors
    /// The text is no JSON object; nothing was taken.
    pub fn push(&mut self, record: &str) -> Result<bool, Malformed> {
        let taken = match self.read_record(record) {
            Err(Trouble::Repeated) => {
                self.tree.roll_back();
                match rewrite(&mut Scanner::new(record), Order::Arrival) {
                    Ok(last_counts) => self.read_record(&last_counts),
                    Err(malformed) => return self.give_up(malformed, record),
                }
            }
            taken => taken,
        };
        let Err(trouble) = taken else {
            self.texts.push(&self.shown(record));
            return Ok(true);
        };
        self.tree.roll_back();
        match trouble {
            Trouble::Malformed(malformed) => self.give_up(malformed, record),
            Trouble::Rejected(reason) => {
                let mut rest = Scanner::new(record);
                match rest.skip_value(0).and_then(|()| rest.end()) {
                    Err(malformed) if malformed.problem != TOO_DEEP => Err(malformed),
                    _ => Ok(self.refuse(reason.to_string(), record)),
                }
            }
            // The rewritten record has none.
            Trouble::Repeated => Ok(self.refuse("an object repeats a member".to_owned(), record)),
        }
    }

    /// A record that was not read to its end: one that is merely nested too deeply is refused.
    fn give_up(&mut self, malformed: Malformed, record: &str) -> Result<bool, Malformed> {
        match malformed.problem {
            TOO_DEEP => Ok(self.refuse(TOO_DEEP.to_owned(), record)),
            _ => Err(malformed),
        }
    }

    /// JSON as others are to see it.
    fn shown<'a>(&self, json: &'a str) -> Cow<'a, str> {
        match self.is_tagged {
            true => plain(json),
            false => Cow::Borrowed(json),
        }
    }

    /// Keeps a record that does not become a row, which is what the answer says.
    fn refuse(&mut self, reason: String, record: &str) -> bool {
        self.refused_bytes += record.len();
        self.refused.push(RefusedRecord {
            reason,
            record: self.shown(record).into_owned(),
        });
        false
    }

    /// Takes the next row from the texts of some of its fields. Why it is not taken, if so; a malformed one is not either.
    pub(super) fn push_fields<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Option<Rejection>, Malformed> {
        let taken = match self.read_fields(fields.clone()) {
            Err(Trouble::Repeated) => {
                self.tree.roll_back();
                let rewritten = fields
                    .map(|(name, text)| {
                        Ok((name, rewrite(&mut Scanner::new(text), Order::Arrival)?))
                    })
                    .collect::<Result<Vec<_>, Malformed>>()?;
                self.read_fields(rewritten.iter().map(|(name, text)| (*name, text.as_str())))
            }
            taken => taken,
        };
        let Err(trouble) = taken else {
            return Ok(None);
        };
        self.tree.roll_back();
        match trouble {
            Trouble::Malformed(malformed) => Err(malformed),
            Trouble::Rejected(reason) => Ok(Some(reason)),
            // Two fields of one name, which the source does not have.
            Trouble::Repeated => Ok(Some(Rejection::TooManyColumns)),
        }
    }

    fn read_fields<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Trouble> {
        self.tree.tables[0].rows += 1;
        let mut expected = 0;
        for (name, text) in fields {
            self.indices.clear();
            let place = self.tree.property(ROOT, name, &mut expected, &self.rules)?;
            let mut scanner = Scanner::new(text);
            self.read_value(&mut scanner, place, 0)?;
            scanner.end()?;
        }
        Ok(())
    }

    /// Rows so far.
    pub fn row_count(&self) -> usize {
        self.texts.len()
    }

    /// Records that did not become rows so far.
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// Bytes of the records so far.
    pub fn size_bytes(&self) -> usize {
        self.texts.size_bytes() + self.refused_bytes
    }

    /// Whether the batch should be finished before the next record, however small it is: so many different fields, or so
    /// many NULLs, are kept in memory no longer than needed.
    pub fn is_full(&self) -> bool {
        self.tree.places.len() >= MAX_PLACES / 2 || self.tree.cell_count() >= MAX_CELLS
    }

    /// Values that are no numbers (NaN and the infinities), and instants beyond the calendar where a database sent them, since
    /// the last call; they are NULL.
    pub fn take_not_finite(&mut self) -> u64 {
        std::mem::take(&mut self.not_finite)
    }

    /// The rows since the last call, with their system columns' values.
    ///
    /// # Errors
    /// The columns do not fit together, which would be a defect of the shaper.
    pub fn finish(&mut self, system: SystemValues) -> Result<ShapedBatch, ArrowError> {
        let (schema, records) = self.tree.tables[0].take()?;
        let mut subtables = Vec::new();
        for table in &mut self.tree.tables[1..] {
            if table.rows == 0 {
                continue;
            }
            let root_rows = std::mem::take(&mut table.root_rows).into();
            let levels = table.levels.iter_mut();
            let levels = levels.map(|level| std::mem::take(level).into()).collect();
            let (schema, records) = table.take()?;
            subtables.push(SubtableBatch {
                path: table.path.clone(),
                schema,
                records,
                root_rows,
                levels,
            });
        }
        if self.tree.places.len() >= MAX_PLACES / 2 {
            self.tree = Tree::new(&self.key, &self.rules);
        }
        self.refused_bytes = 0;
        Ok(ShapedBatch {
            schema,
            records,
            system,
            subtables,
            texts: Some(std::mem::take(&mut self.texts)),
            refused: std::mem::take(&mut self.refused),
        })
    }

    fn read_record(&mut self, record: &str) -> Result<(), Trouble> {
        let mut scanner = Scanner::new(record);
        self.indices.clear();
        self.tree.tables[0].rows += 1;
        if scanner.peek() != b'{' {
            return Err(scanner.malformed("an object was expected").into());
        }
        scanner.skip_byte();
        self.read_object(&mut scanner, ROOT, 0)?;
        scanner.end()?;
        Ok(())
    }

    /// The members of an object, up to and with the closing brace.
    fn read_object(
        &mut self,
        scanner: &mut Scanner<'_>,
        object: u32,
        depth: usize,
    ) -> Result<(), Trouble> {
        if depth > MAX_DEPTH {
            return Err(scanner.malformed(TOO_DEEP).into());
        }
        self.objects_met += 1;
        let this = self.objects_met;
        let mut expected = 0;
        let mut first = true;
        while scanner.another(first, b'}')? {
            first = false;
            let place = match self.tree.expected(object, scanner, &mut expected) {
                Some(place) => place,
                None => self.named(scanner, object, &mut expected)?,
            };
            let met_in = &mut self.tree.places[place as usize].met_in;
            if std::mem::replace(met_in, this) == this {
                return Err(Trouble::Repeated);
            }
            self.read_value(scanner, place, depth)?;
        }
        Ok(())
    }

    /// The place of the property whose name stands here; consumes the name and the colon. `expected` is as for [`Tree::expected`].
    #[inline(never)]
    fn named(
        &mut self,
        scanner: &mut Scanner<'_>,
        object: u32,
        expected: &mut usize,
    ) -> Result<u32, Trouble> {
        let raw = scanner.string()?;
        let name = unescape(raw).map_err(|bad| self.bad_string(scanner, bad, raw.text))?;
        let place = self.tree.property(object, &name, expected, &self.rules)?;
        scanner.expect(b':', "a colon was expected")?;
        Ok(place)
    }

    #[inline]
    fn read_value(
        &mut self,
        scanner: &mut Scanner<'_>,
        place: u32,
        depth: usize,
    ) -> Result<(), Trouble> {
        scanner.peek();
        let start = scanner.position();
        let Some(usual) = scanner.usual() else {
            return self.read_other(scanner, place, depth);
        };
        let text = scanner.since(start);
        match usual {
            Usual::Null => {}
            Usual::Boolean => {
                let value = text.starts_with('t');
                self.tree.column(place, Kind::Boolean).push_boolean(value);
            }
            Usual::Integer | Usual::Fraction => {
                let integer = usual == Usual::Integer;
                self.put_number(place, Number { text, integer })?;
            }
            Usual::String => self.put_string(scanner, place, RawString::plain(text))?,
        }
        Ok(())
    }

    /// A list, or a value that is not written as most are.
    #[inline(never)]
    fn read_other(
        &mut self,
        scanner: &mut Scanner<'_>,
        place: u32,
        depth: usize,
    ) -> Result<(), Trouble> {
        match scanner.peek() {
            b'"' => {
                let raw = scanner.string()?;
                self.put_string(scanner, place, raw)
            }
            b'{' | b'[' if self.tree.places[place as usize].is_key => {
                let text = rewrite(scanner, Order::Sorted)?;
                let text = self.shown(&text);
                self.tree.column(place, Kind::Text).push_text(&text);
                Ok(())
            }
            b'{' | b'[' if self.nesting == Nesting::Json => {
                self.scratch.clear();
                scanner.copy_value(depth + 1, &mut self.scratch)?;
                let text = match self.is_tagged {
                    true => plain(&self.scratch),
                    false => Cow::Borrowed(self.scratch.as_str()),
                };
                self.tree.column(place, Kind::Json).push_text(&text);
                Ok(())
            }
            b'{' => {
                scanner.skip_byte();
                let object = self.tree.object(place);
                self.read_object(scanner, object, depth + 1)
            }
            b'[' => {
                scanner.skip_byte();
                self.read_items(scanner, place, depth + 1)
            }
            _ => {
                match scanner.scalar()? {
                    Scalar::Null => {}
                    Scalar::NotFinite => self.not_finite += 1,
                    Scalar::Boolean(value) => {
                        self.tree.column(place, Kind::Boolean).push_boolean(value);
                    }
                    Scalar::Number(number) => self.put_number(place, number)?,
                }
                Ok(())
            }
        }
    }

    /// The items of an array, up to and with the closing bracket.
    fn read_items(
        &mut self,
        scanner: &mut Scanner<'_>,
        place: u32,
        depth: usize,
    ) -> Result<(), Trouble> {
        if depth > MAX_DEPTH {
            return Err(scanner.malformed(TOO_DEEP).into());
        }
        let root_row = (self.tree.tables[0].rows - 1) as u32;
        let mut items = NONE;
        let mut index = 0;
        while scanner.another(index == 0, b']')? {
            if items == NONE {
                items = self.tree.items(place, &self.rules)?;
            }
            let table = &mut self.tree.tables[items as usize];
            table.rows += 1;
            table.root_rows.push(root_row);
            self.indices.push(index);
            for (level, index) in table.levels.iter_mut().zip(&self.indices) {
                level.push(*index);
            }
            let item = table.item;
            self.read_value(scanner, item, depth)?;
            self.indices.pop();
            index += 1;
        }
        Ok(())
    }

    #[inline]
    fn put_string(
        &mut self,
        scanner: &Scanner<'_>,
        place: u32,
        raw: RawString<'_>,
    ) -> Result<(), Trouble> {
        let rule = self.rules.get(self.tree.places[place as usize].rule);
        let has_tag = self.is_tagged && raw.text.starts_with('~');
        if !raw.escaped && !has_tag && (self.is_tagged || rule.texts.is_empty()) {
            self.tree.column(place, Kind::Text).push_text(raw.text);
            return Ok(());
        }
        let text = unescape(raw).map_err(|bad| {
            let column = self.tree.places[place as usize].field.joined_name();
            self.bad_string(scanner, bad, &column)
        })?;
        for kind in &rule.texts {
            match kind {
                TextKind::Plain => break,
                TextKind::Tagged => return self.put_tagged(place, Tagged::of(&text)),
                TextKind::Instant => {
                    if let Some(micros) = literal::instant(&text) {
                        self.tree.column(place, Kind::Instant).push_long(micros);
                        return Ok(());
                    }
                }
                TextKind::Calendar => {
                    match literal::instant(&text) {
                        Some(micros) => self.tree.column(place, Kind::Instant).push_long(micros),
                        None => self.not_finite += 1,
                    }
                    return Ok(());
                }
                TextKind::Decimal => {
                    if literal::is_not_finite(&text) {
                        self.not_finite += 1;
                        return Ok(());
                    }
                    if let Some(decimal) = literal::decimal(&text) {
                        self.tree.column(place, Kind::Decimal).push_text(&decimal);
                        return Ok(());
                    }
                }
            }
        }
        self.tree.column(place, Kind::Text).push_text(&text);
        Ok(())
    }

    fn put_tagged(&mut self, place: u32, value: Tagged<'_>) -> Result<(), Trouble> {
        match value {
            Tagged::Text(text) => self.tree.column(place, Kind::Text).push_text(text),
            Tagged::Instant(micros, _) => self.tree.column(place, Kind::Instant).push_long(micros),
            Tagged::Decimal(text) => match literal::decimal(text) {
                Some(decimal) => self.tree.column(place, Kind::Decimal).push_text(&decimal),
                None => return Err(self.decimal_out_of_range(place)),
            },
            Tagged::Integer(text) => {
                let integer = true;
                return self.put_number(place, Number { text, integer });
            }
        }
        Ok(())
    }

    #[inline]
    fn put_number(&mut self, place: u32, number: Number<'_>) -> Result<(), Trouble> {
        let rule = self.rules.get(self.tree.places[place as usize].rule);
        let kind = match number.integer {
            true => rule.integer,
            false => rule.fraction,
        };
        match kind {
            NumberKind::Integer => match literal::integer(number.text) {
                Some(value) => self.tree.column(place, Kind::Integer).push_long(value),
                None => {
                    let column = self.tree.places[place as usize].field.joined_name();
                    return Err(Trouble::Rejected(Rejection::IntegerOutOfRange {
                        column,
                        destination: self.destination,
                    }));
                }
            },
            NumberKind::Double => match literal::double(number.text) {
                Some(value) if value.is_finite() => {
                    self.tree.column(place, Kind::Double).push_double(value);
                }
                _ => return Err(self.decimal_out_of_range(place)),
            },
            NumberKind::Decimal => match literal::decimal(number.text) {
                Some(decimal) => self.tree.column(place, Kind::Decimal).push_text(&decimal),
                None => return Err(self.decimal_out_of_range(place)),
            },
        }
        Ok(())
    }

    #[cold]
    fn decimal_out_of_range(&self, place: u32) -> Trouble {
        Trouble::Rejected(Rejection::DecimalOutOfRange {
            column: self.tree.places[place as usize].field.joined_name(),
            destination: self.destination,
        })
    }

    #[cold]
    fn bad_string(&self, scanner: &Scanner<'_>, bad: BadString, column: &str) -> Trouble {
        match bad {
            BadString::Malformed(problem) => scanner.malformed(problem).into(),
            BadString::LoneSurrogate => Trouble::Rejected(Rejection::InvalidValue {
                column: column.to_owned(),
                destination: self.destination,
            }),
        }
    }
}
