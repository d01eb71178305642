//! Holding the text of records against a schema, while it is read over for the first and mostly the only time.
//!
//! Members are expected in the order of the schema's properties, which is how most programs write them; others are looked up.
//! Nothing is built for a record that conforms. Only `uniqueItems`, `enum` and `const` make texts of lists, and objects and arrays
//! are read more than once where `anyOf`, `oneOf`, `allOf` or `not` leave a choice.

use std::collections::HashSet;

use selvedge_json::{Number, RawString, Scalar, Scanner, literal, unescape};

use super::decimal::Decimal;
use super::mismatch::{self, Mismatch};
use super::rules::{
    ArrayRules, Bound, Combined, Format, Kinds, NOTHING, Node, NodeId, NumberRules, ObjectRules,
    StringRules, Values,
};
use super::{Schema, canonical};
use crate::instant;
use crate::kind::Kind;
use crate::record::{
    Flaw, KeyValue, MAX_DATA_POINTS, NotFinite, REPEATED_MEMBER, Reader, count_characters,
    within_depth,
};

/// Properties that are looked at before the name of a member is looked up: one that comes may follow some that were left out.
const LOOK_AHEAD: usize = 3;
/// Schemas and lists that are open at a time, so that the stack suffices.
const MAX_LEVEL: usize = 384;
/// Bytes that are read again because of a choice: so many for each of the text, and so many anyway.
const EFFORT_PER_BYTE: usize = 32;
const EFFORT_ANYWAY: usize = 4 << 20;
/// What holding one scalar against one more schema costs, in bytes.
const SCALAR_EFFORT: usize = 8;

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

/// A value without inner parts.
#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    String(RawString<'a>),
    Other(Scalar<'a>),
}

impl Token<'_> {
    fn kinds(self) -> Kinds {
        match self {
            Self::String(_) => Kinds::STRING,
            Self::Other(Scalar::Null | Scalar::NotFinite) => Kinds::NULL,
            Self::Other(Scalar::Boolean(_)) => Kinds::BOOLEAN,
            Self::Other(Scalar::Number(number)) if number.integer => Kinds::INTEGER,
            Self::Other(Scalar::Number(_)) => Kinds::FRACTION,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Other(Scalar::Null | Scalar::NotFinite) => Kind::Null,
            Self::Other(Scalar::Boolean(_)) => Kind::Boolean,
            Self::Other(Scalar::Number(number)) => Kind::of_number(number.text, number.integer),
        }
    }

    fn show(self) -> String {
        match self {
            Self::String(string) => mismatch::of_string(string),
            Self::Other(scalar) => mismatch::of_scalar(scalar),
        }
    }
}

/// What several schemas are held against.
enum Subject<'c, 'a> {
    Scalar(Token<'a>),
    List {
        start: &'c Scanner<'a>,
        depth: usize,
        kinds: Kinds,
        /// Bytes of its text.
        length: usize,
    },
}

impl Subject<'_, '_> {
    fn kinds(&self) -> Kinds {
        match self {
            Self::Scalar(token) => token.kinds(),
            Self::List { kinds, .. } => *kinds,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Scalar(token) => token.kind(),
            Self::List { start, .. } => Kind::of_next(start),
        }
    }

    fn effort(&self) -> usize {
        match self {
            Self::Scalar(_) => SCALAR_EFFORT,
            Self::List { length, .. } => *length,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Scalar(token) => token.show(),
            Self::List { kinds, .. } => kinds.names(),
        }
    }

    fn is_listed(&self, values: &Values) -> Result<bool, Stop> {
        let mut text = String::new();
        match self {
            Self::Scalar(Token::String(string)) => {
                return Ok(unescape(*string).is_ok_and(|text| values.strings.contains(&*text)));
            }
            _ if values.others.is_empty() => return Ok(false),
            Self::Scalar(Token::Other(scalar)) => canonical::scalar(*scalar, &mut text),
            Self::List { start, .. } => canonical::write(&mut (*start).clone(), &mut text)?,
        }
        Ok(values.others.contains(&text))
    }
}

/// Checks records of one body, one after the other, until one of them is unfit.
#[derive(Debug)]
pub(crate) struct Checker<'s, 'a> {
    schema: &'s Schema,
    reader: Reader<'a>,
    /// Which properties could be part of the key in all records so far, and in this one; 64 to a word.
    keyable: Vec<u64>,
    keyable_here: Vec<u64>,
    /// Which properties the objects that are open have had, 64 to a word, innermost last.
    seen: Vec<u64>,
    level: usize,
    /// How much may be done again.
    effort: usize,
    explains: bool,
}

impl<'s, 'a> Checker<'s, 'a> {
    /// For records out of a text of so many bytes.
    pub(crate) fn new(schema: &'s Schema, text_length: usize) -> Self {
        let words = schema.root_rules().required.len();
        Self {
            schema,
            reader: Reader::new(NotFinite::Null),
            keyable: vec![u64::MAX; words],
            keyable_here: vec![0; words],
            seen: Vec::new(),
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
        self.keyable_here.fill(0);
        match self.root(scanner) {
            Ok(()) if self.reader.data_points > MAX_DATA_POINTS => Err(Unfit::TooLarge),
            Ok(()) => {
                for (all, here) in self.keyable.iter_mut().zip(&self.keyable_here) {
                    *all &= here;
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
        self.keyable
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
    #[inline]
    fn value(&mut self, id: NodeId, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        let schema = self.schema;
        let node = schema.node(id);
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

    #[inline]
    fn token(&mut self, node: &'s Node, token: Token<'a>) -> Checked {
        if !node.kinds.admit(token.kinds()) {
            // Words that are no numbers are null whatever the type.
            return match token {
                Token::Other(Scalar::NotFinite) => Ok(()),
                _ => self.mismatch(|| wrong_type(node, token.kind())),
            };
        }
        match (token, &node.string, &node.number) {
            (Token::String(string), Some(rules), _) => self.string(rules, string)?,
            (Token::Other(Scalar::Number(number)), _, Some(rules)) => self.number(rules, number)?,
            _ => {}
        }
        match &node.combined {
            Some(_) if matches!(token, Token::Other(Scalar::NotFinite)) => Ok(()),
            Some(combined) => self.combined(combined, &Subject::Scalar(token)),
            None => Ok(()),
        }
    }

    fn string(&mut self, rules: &'s StringRules, string: RawString<'a>) -> Checked {
        if rules.min_length.is_some() || rules.max_length.is_some() {
            let length = count_characters(string) as u64;
            if let Some(limit) = rules.min_length.filter(|limit| length < *limit) {
                return self.mismatch(|| Mismatch::length(limit, length));
            }
            if let Some(limit) = rules.max_length.filter(|limit| length > *limit) {
                return self.mismatch(|| Mismatch::length(limit, length));
            }
        }
        if rules.pattern.is_none() && rules.format.is_none() {
            return Ok(());
        }
        let Ok(text) = unescape(string) else {
            return Err(Flaw::LoneSurrogate.into());
        };
        if let Some(pattern) = &rules.pattern {
            self.spend(text.len())?;
            if !pattern.is_match(&text) {
                return self.mismatch(|| Mismatch::pattern(string, pattern.as_str()));
            }
        }
        match rules.format {
            Some(Format::DateTime) if !instant::is_instant(&text) => {
                self.mismatch(|| Mismatch::format(string, "date-time"))
            }
            Some(Format::Decimal)
                if literal::decimal(&text).is_none() && !literal::is_not_finite(&text) =>
            {
                self.mismatch(|| Mismatch::format(string, "singer.decimal"))
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self, rules: &'s NumberRules, number: Number<'a>) -> Checked {
        let integer = match number.integer {
            true => literal::integer(number.text),
            false => None,
        };
        for bound in &rules.bounds {
            if !within(bound, integer, number.text) {
                return self.mismatch(|| Mismatch::bound(number.text, bound));
            }
        }
        match &rules.multiple_of {
            Some((divisor, literal)) if !divisor.divides(&Decimal::new(number.text)) => {
                self.mismatch(|| Mismatch::multiple(number.text, literal))
            }
            _ => Ok(()),
        }
    }

    /// Holds an object or array against a schema.
    fn list(
        &mut self,
        node: &'s Node,
        kinds: Kinds,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        if !node.kinds.admit(kinds) {
            let found = Kind::of_next(scanner);
            return self.mismatch(|| wrong_type(node, found));
        }
        within_depth(scanner, depth)?;
        if self.level == MAX_LEVEL {
            return Err(Stop::Exhausted);
        }
        self.level += 1;
        match &node.combined {
            None => self.own(node, scanner, depth)?,
            Some(combined) => self.chosen(node, combined, kinds, scanner, depth)?,
        }
        self.level -= 1;
        Ok(())
    }

    /// Holds an object or array against a schema's own rules.
    fn own(&mut self, node: &'s Node, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        match (scanner.peek(), &node.object, &node.array) {
            (b'{', Some(rules), _) => self.members(rules, scanner, depth),
            (b'[', _, Some(rules)) => self.items(rules, scanner, depth),
            _ => Ok(self.reader.value(scanner, depth)?),
        }
    }

    /// Holds an object or array against a schema's own rules and those that it is made of.
    fn chosen(
        &mut self,
        node: &'s Node,
        combined: &'s Combined,
        kinds: Kinds,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        let has_own = match kinds {
            Kinds::OBJECT => node.object.is_some(),
            _ => node.array.is_some(),
        };
        if !has_own && let Some(only) = self.only_choice(combined, kinds) {
            return self.value(only, scanner, depth);
        }
        let start = scanner.clone();
        self.own(node, scanner, depth)?;
        let subject = Subject::List {
            start: &start,
            depth,
            kinds,
            length: scanner.position() - start.position(),
        };
        self.combined(combined, &subject)
    }

    /// The one schema that decides, so that the text is read once.
    fn only_choice(&self, combined: &Combined, kinds: Kinds) -> Option<NodeId> {
        let others = combined.one.len()
            + usize::from(combined.not.is_some())
            + usize::from(combined.values.is_some())
            + usize::from(combined.constant.is_some());
        match (&*combined.all, &*combined.any, others) {
            ([only], [], 0) => Some(*only),
            ([], any, 0) => {
                let fits = |id: &&NodeId| self.schema.node(**id).kinds.admit(kinds);
                let mut fitting = any.iter().filter(fits);
                match (fitting.next(), fitting.next()) {
                    (Some(only), None) => Some(*only),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn combined(&mut self, combined: &'s Combined, subject: &Subject<'_, 'a>) -> Checked {
        for id in &combined.all {
            self.hold(*id, subject)?;
        }
        if !combined.any.is_empty() {
            self.any(&combined.any, subject)?;
        }
        if !combined.one.is_empty() {
            let mut matched = 0;
            for id in &combined.one {
                matched += usize::from(self.conforms(*id, subject)?);
            }
            if matched != 1 {
                let none = matched == 0;
                return match none.then(|| self.kinds_missed(&combined.one, subject)) {
                    Some(Some(mismatch)) => self.mismatch(|| mismatch),
                    _ => self.mismatch(|| Mismatch::not_one_matched(matched)),
                };
            }
        }
        if let Some(id) = combined.not
            && self.conforms(id, subject)?
        {
            return self.mismatch(Mismatch::matched_negated);
        }
        for (values, name) in [
            (
                &combined.values,
                Mismatch::not_listed as fn(&str) -> Mismatch,
            ),
            (&combined.constant, Mismatch::not_constant),
        ] {
            if let Some(values) = values {
                self.spend(subject.effort())?;
                if !subject.is_listed(values)? {
                    return self.mismatch(|| name(&subject.show()));
                }
            }
        }
        Ok(())
    }

    fn any(&mut self, members: &'s [NodeId], subject: &Subject<'_, 'a>) -> Checked {
        for id in members {
            if self.conforms(*id, subject)? {
                return Ok(());
            }
        }
        match self.kinds_missed(members, subject) {
            Some(mismatch) => self.mismatch(|| mismatch),
            None => self.mismatch(|| Mismatch::none_matched(members.len())),
        }
    }

    /// What to say where none of the members is for values of this kind.
    fn kinds_missed(&self, members: &[NodeId], subject: &Subject<'_, 'a>) -> Option<Mismatch> {
        let kinds = members
            .iter()
            .map(|id| self.schema.node(*id).kinds)
            .fold(Kinds::NONE, Kinds::with);
        let missed = self.explains && kinds != Kinds::NONE && !kinds.admit(subject.kinds());
        missed.then(|| Mismatch::wrong_type(kinds, subject.kind()))
    }

    /// Whether a value that was read over already conforms to a schema.
    fn conforms(&mut self, id: NodeId, subject: &Subject<'_, 'a>) -> Result<bool, Stop> {
        // Mostly it is the wrong kind.
        if !self.schema.node(id).kinds.admit(subject.kinds()) {
            self.spend(1)?;
            return Ok(false);
        }
        let explains = std::mem::replace(&mut self.explains, false);
        let held = self.hold(id, subject);
        self.explains = explains;
        match held {
            Ok(()) => Ok(true),
            Err(Stop::Mismatch(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Holds a value that was read over already against one more schema.
    fn hold(&mut self, id: NodeId, subject: &Subject<'_, 'a>) -> Checked {
        self.spend(subject.effort())?;
        match subject {
            Subject::Scalar(token) => {
                let schema = self.schema;
                self.token(schema.node(id), *token)
            }
            Subject::List { start, depth, .. } => {
                let (data_points, level) = (self.reader.data_points, self.level);
                let (seen, members) = (self.seen.len(), self.reader.members.mark());
                let held = self.value(id, &mut (*start).clone(), *depth);
                // What was read is counted already, and after a mismatch lists are open still.
                self.reader.data_points = data_points;
                self.reader.members.reset(members);
                self.level = level;
                self.seen.truncate(seen);
                held
            }
        }
    }

    fn members(
        &mut self,
        rules: &'s ObjectRules,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        scanner.expect(b'{', "an object was expected")?;
        let first_word = self.seen.len();
        let words = rules.required.len();
        self.seen.resize(first_word + words, 0);
        if words > 4 {
            self.spend(words)?;
        }
        let is_root = depth == 0 && self.level == 0;
        let mut object = self.reader.members.open();
        let (mut expected, mut count) = (0, 0);
        while scanner.another(count == 0, b'}')? {
            count += 1;
            let start = scanner.clone();
            let property = match rules.expected(scanner, expected) {
                Some(index) => {
                    scanner.expect(b':', "a colon was expected")?;
                    Some(index)
                }
                None => {
                    let name = self.reader.name(scanner)?;
                    let property = rules.by_name.get(&*name).copied();
                    if property.is_none() {
                        self.reader.add_member(scanner, &mut object, name)?;
                    }
                    property
                }
            };
            let node = match property {
                Some(index) => {
                    expected = index + 1;
                    let word = &mut self.seen[first_word + index / 64];
                    let bit = 1 << (index % 64);
                    if *word & bit != 0 {
                        return Err(scanner.malformed(REPEATED_MEMBER).into());
                    }
                    *word |= bit;
                    Some(rules.properties[index].node).filter(|_| index < rules.declared_count)
                }
                None => None,
            };
            let value = scanner.clone();
            self.member(rules, node, &start, scanner, depth)?;
            if is_root
                && let Some(index) = property
                && KeyValue::of_read(value, scanner.position()) == KeyValue::Present
            {
                self.keyable_here[index / 64] |= 1 << (index % 64);
            }
        }
        self.reader.members.close(object);
        let seen = &self.seen[first_word..];
        let mut missing = rules
            .required
            .iter()
            .zip(seen)
            .map(|(required, seen)| required & !seen);
        if let Some(word) = missing.position(|missing| missing != 0) {
            let bits = rules.required[word] & !seen[word];
            let index = word * 64 + bits.trailing_zeros() as usize;
            return self.mismatch(|| Mismatch::required(&rules.properties[index].name));
        }
        self.seen.truncate(first_word);
        if let Some(limit) = out_of_bounds(count, rules.min, rules.max) {
            return self.mismatch(|| Mismatch::member_count(limit, count));
        }
        Ok(())
    }

    /// Holds the value of a member against all schemas that are for it. `start` is where its name begins.
    #[inline]
    fn member(
        &mut self,
        rules: &'s ObjectRules,
        declared: Option<NodeId>,
        start: &Scanner<'a>,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        let within = |stop: Stop| stop.within(|| name_of(start));
        if rules.patterns.is_empty() {
            return match declared {
                Some(node) => self.value(node, scanner, depth + 1).map_err(within),
                None if rules.additional == NOTHING => self.extraneous(start),
                None => self
                    .value(rules.additional, scanner, depth + 1)
                    .map_err(within),
            };
        }
        let name = self.reader.name(&mut start.clone())?;
        let mut nodes: Vec<NodeId> = declared.into_iter().collect();
        for (pattern, node) in &rules.patterns {
            self.spend(name.len() + SCALAR_EFFORT)?;
            if pattern.is_match(&name) {
                nodes.push(*node);
            }
        }
        if nodes.is_empty() {
            if rules.additional == NOTHING {
                return self.extraneous(start);
            }
            nodes.push(rules.additional);
        }
        let value = scanner.clone();
        for (index, node) in nodes.into_iter().enumerate() {
            match index {
                0 => self.value(node, scanner, depth + 1),
                _ => self.again(node, &value, scanner.position(), depth + 1),
            }
            .map_err(within)?;
        }
        Ok(())
    }

    /// Holds a value that was read over against one more schema.
    fn again(&mut self, id: NodeId, value: &Scanner<'a>, end: usize, depth: usize) -> Checked {
        let subject = Subject::List {
            start: value,
            depth,
            // Whatever it is.
            kinds: Kinds::ALL,
            length: end - value.position(),
        };
        self.hold(id, &subject)
    }

    #[cold]
    fn extraneous(&self, start: &Scanner<'a>) -> Checked {
        self.mismatch(|| Mismatch::extraneous(&name_of(start)))
    }

    fn items(&mut self, rules: &'s ArrayRules, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        scanner.expect(b'[', "an array was expected")?;
        let mut known = HashSet::new();
        let mut repeated = false;
        let mut count = 0;
        while scanner.another(count == 0, b']')? {
            let node = rules.first.get(count).copied().unwrap_or(rules.rest);
            if node == NOTHING && count >= rules.first.len() {
                return self.mismatch(|| Mismatch::additional_items(rules.first.len()));
            }
            let start = scanner.clone();
            self.value(node, scanner, depth + 1)
                .map_err(|stop| stop.within(|| count.to_string()))?;
            count += 1;
            if rules.unique {
                let mut text = String::new();
                self.spend(scanner.position() - start.position())?;
                canonical::write(&mut start.clone(), &mut text)?;
                repeated |= !known.insert(text);
            }
        }
        if let Some(limit) = out_of_bounds(count, rules.min, rules.max) {
            return self.mismatch(|| Mismatch::item_count(limit, count));
        }
        match repeated {
            true => self.mismatch(Mismatch::not_unique),
            false => Ok(()),
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

impl ObjectRules {
    /// The property whose name stands here, if it is one of those that are expected next; consumes the name.
    #[inline]
    fn expected(&self, scanner: &mut Scanner<'_>, from: usize) -> Option<usize> {
        let ahead = self.properties.get(from..)?.iter().take(LOOK_AHEAD);
        ahead
            .enumerate()
            .find(|(_, property)| scanner.word(&property.quoted))
            .map(|(offset, _)| from + offset)
    }
}

fn wrong_type(node: &Node, found: Kind) -> Mismatch {
    match node.kinds {
        Kinds::NONE => Mismatch::nothing_conforms(),
        kinds => Mismatch::wrong_type(kinds, found),
    }
}

/// The name that begins here.
fn name_of(start: &Scanner<'_>) -> String {
    match start.clone().string() {
        Ok(name) => unescape(name).unwrap_or(name.text.into()).into_owned(),
        Err(_) => String::new(),
    }
}

/// The limit that a count does not keep.
fn out_of_bounds(count: usize, min: Option<u64>, max: Option<u64>) -> Option<u64> {
    let count = count as u64;
    min.filter(|min| count < *min)
        .or(max.filter(|max| count > *max))
}

/// Whether a number keeps a bound; `integer` is its value if that has 64 bits.
fn within(bound: &Bound, integer: Option<i64>, literal: &str) -> bool {
    let order = match (integer, bound.integer) {
        (Some(number), Some(limit)) => number.cmp(&limit),
        _ => Decimal::new(literal).compare(&Decimal::new(&bound.literal)),
    };
    match (bound.lower, bound.exclusive) {
        (true, false) => order.is_ge(),
        (true, true) => order.is_gt(),
        (false, false) => order.is_le(),
        (false, true) => order.is_lt(),
    }
}
