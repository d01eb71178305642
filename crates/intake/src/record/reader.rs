//! Reading over a record's text once, for what holds whatever the record is typed by.

use std::borrow::Cow;

use selvedge_json::{
    BadString, MAX_DEPTH, Malformed, RawString, Scalar, Scanner, TOO_DEEP, check, unescape,
};

use super::{KeyValue, Keys, Members, OpenObject};

/// The problem of an object with two members of one name.
pub(crate) const REPEATED_MEMBER: &str = "an object has two members of the same name";

/// Why the text is not that of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A string holds half of a surrogate pair: to be mended (see [`super::mend_surrogates`]) and read again.
    #[error("half of a surrogate pair stands alone")]
    LoneSurrogate,
}

/// What `NaN`, `Infinity` and `-Infinity` are, which JSON does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFinite {
    Malformed,
    Null,
}

/// What was found in a record beside its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Members of the record itself; 0 for `{}`.
    pub(crate) member_count: usize,
    /// Values without inner parts at any depth; more than [`super::MAX_DATA_POINTS`] are too many.
    pub(crate) data_points: usize,
}

/// Reads records. What it remembers of one is of no use for the next, but for its memory.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) not_finite: NotFinite,
    pub(crate) members: Members<'a>,
    pub(crate) data_points: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(not_finite: NotFinite) -> Self {
        Self {
            not_finite,
            members: Members::default(),
            data_points: 0,
        }
    }

    /// Reads over the object that begins here. That there is one is for the caller to see: `{` was peeked.
    pub(crate) fn record(
        &mut self,
        scanner: &mut Scanner<'a>,
        keys: &mut Keys<'_>,
    ) -> Result<Facts, Flaw> {
        self.data_points = 0;
        keys.clear();
        scanner.expect(b'{', "an object was expected")?;
        let mut object = self.members.open();
        let mut member_count = 0;
        while scanner.another(member_count == 0, b'}')? {
            member_count += 1;
            let name = self.name(scanner)?;
            let key = keys.position(&name);
            self.add_member(scanner, &mut object, name)?;
            let first = scanner.peek();
            let value = scanner.position();
            self.value(scanner, 1)?;
            if let Some(position) = key {
                keys.set(position, KeyValue::of_read(first, value, scanner));
            }
        }
        self.members.close(object);
        Ok(Facts {
            member_count,
            data_points: self.data_points,
        })
    }

    /// Reads over a value, which stands in `depth` lists of its record.
    #[inline]
    pub(crate) fn value(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), Flaw> {
        match scanner.usual() {
            Some(_) => {
                self.data_points += 1;
                Ok(())
            }
            None => self.other_value(scanner, depth),
        }
    }

    fn other_value(&mut self, scanner: &mut Scanner<'a>, depth: usize) -> Result<(), Flaw> {
        match scanner.peek() {
            b'{' => {
                within_depth(scanner, depth)?;
                scanner.skip_byte();
                let mut object = self.members.open();
                let mut first = true;
                while scanner.another(first, b'}')? {
                    first = false;
                    let name = self.name(scanner)?;
                    self.add_member(scanner, &mut object, name)?;
                    self.value(scanner, depth + 1)?;
                }
                self.members.close(object);
            }
            b'[' => {
                within_depth(scanner, depth)?;
                scanner.skip_byte();
                let mut first = true;
                while scanner.another(first, b']')? {
                    first = false;
                    self.value(scanner, depth + 1)?;
                }
            }
            b'"' => {
                self.string(scanner)?;
            }
            _ => {
                self.scalar(scanner)?;
            }
        }
        Ok(())
    }

    /// A string that is a value.
    #[inline]
    pub(crate) fn string(&mut self, scanner: &mut Scanner<'a>) -> Result<RawString<'a>, Flaw> {
        self.data_points += 1;
        string(scanner)
    }

    /// A value that is neither string nor list.
    #[inline]
    pub(crate) fn scalar(&mut self, scanner: &mut Scanner<'a>) -> Result<Scalar<'a>, Flaw> {
        self.data_points += 1;
        let start = scanner.clone();
        match scanner.scalar()? {
            Scalar::NotFinite if self.not_finite == NotFinite::Malformed => {
                Err(start.malformed("a value was expected").into())
            }
            scalar => Ok(scalar),
        }
    }

    /// The name of a member, and the colon behind it.
    #[inline]
    pub(crate) fn name(&mut self, scanner: &mut Scanner<'a>) -> Result<Cow<'a, str>, Flaw> {
        match scanner.plain_string() {
            Some(name) => {
                scanner.expect(b':', "a colon was expected")?;
                Ok(Cow::Borrowed(name))
            }
            None => self.escaped_name(scanner),
        }
    }

    #[inline(never)]
    fn escaped_name(&mut self, scanner: &mut Scanner<'a>) -> Result<Cow<'a, str>, Flaw> {
        let name = characters(string(scanner)?, scanner)?;
        scanner.expect(b':', "a colon was expected")?;
        Ok(name)
    }

    #[inline]
    pub(crate) fn add_member(
        &mut self,
        scanner: &Scanner<'a>,
        object: &mut OpenObject<'a>,
        name: Cow<'a, str>,
    ) -> Result<(), Flaw> {
        match self.members.add(object, name) {
            true => Ok(()),
            false => Err(scanner.malformed(REPEATED_MEMBER).into()),
        }
    }
}

/// The string that begins here, whose escapes are sound.
#[inline]
pub(crate) fn string<'a>(scanner: &mut Scanner<'a>) -> Result<RawString<'a>, Flaw> {
    let string = scanner.string()?;
    if string.escaped {
        check(string).map_err(|bad| flaw(bad, scanner))?;
    }
    Ok(string)
}

/// The characters of a string.
#[inline]
pub(crate) fn characters<'a>(
    string: RawString<'a>,
    scanner: &Scanner<'a>,
) -> Result<Cow<'a, str>, Flaw> {
    unescape(string).map_err(|bad| flaw(bad, scanner))
}

#[cold]
fn flaw(bad: BadString, scanner: &Scanner<'_>) -> Flaw {
    match bad {
        BadString::Malformed(problem) => scanner.malformed(problem).into(),
        BadString::LoneSurrogate => Flaw::LoneSurrogate,
    }
}

/// An object or array may begin here.
#[inline]
pub(crate) fn within_depth(scanner: &Scanner<'_>, depth: usize) -> Result<(), Flaw> {
    match depth > MAX_DEPTH {
        true => Err(scanner.malformed(TOO_DEEP).into()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, names: &[&str]) -> Result<(Facts, Vec<KeyValue>), Flaw> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut keys = Keys::new(&names);
        let mut scanner = Scanner::new(text);
        let facts = Reader::new(NotFinite::Null).record(&mut scanner, &mut keys)?;
        scanner.end()?;
        Ok((facts, keys.iter().map(|(_, value)| value).collect()))
    }

    #[test]
    fn scalars_are_counted_at_any_depth() {
        let (facts, _) =
            read(r#"{"a":[1,[2,{"b":null}],[]],"c":{},"d":"x","e":NaN}"#, &[]).unwrap();
        assert_eq!((facts.member_count, facts.data_points), (4, 5));
    }

    #[test]
    fn keys_are_found_at_the_top_only() {
        let long = format!(r#"{{"k":"{}"}}"#, "ä".repeat(1025));
        let fits = format!(r#"{{"k":"{}"}}"#, r"\u00e4".repeat(1024));
        for (text, expected) in [
            (r#"{"k":0}"#, KeyValue::Present),
            (r#"{"\u006b":""}"#, KeyValue::Present),
            (r#"{"k":[]}"#, KeyValue::Present),
            (r#"{"k":null}"#, KeyValue::Null),
            (r#"{"k":-Infinity}"#, KeyValue::Null),
            (r#"{"a":{"k":1}}"#, KeyValue::Absent),
            (&long, KeyValue::TooLong),
            (&fits, KeyValue::Present),
        ] {
            assert_eq!(read(text, &["k"]).unwrap().1, [expected], "{text}");
        }
    }

    #[test]
    fn repeated_members_are_malformed_however_they_are_written() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":[{"b":{},"c":1,"b":{}}]}"#,
        ] {
            let Err(Flaw::Malformed(malformed)) = read(text, &[]) else {
                panic!("{text} was taken");
            };
            assert_eq!(malformed.problem, REPEATED_MEMBER);
        }
    }

    #[test]
    fn depth_is_counted_from_the_record() {
        let nested =
            |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(read(&nested(MAX_DEPTH), &[]).is_ok());
        assert!(read(&nested(MAX_DEPTH + 1), &[]).is_err());
    }

    #[test]
    fn half_pairs_are_told_apart_from_bad_escapes() {
        assert_eq!(read(r#"{"a":"\ud800"}"#, &[]), Err(Flaw::LoneSurrogate));
        assert_eq!(read(r#"{"\udfff":1}"#, &[]), Err(Flaw::LoneSurrogate));
        assert!(matches!(
            read(r#"{"a":"\x"}"#, &[]),
            Err(Flaw::Malformed(_))
        ));
    }

    #[test]
    fn words_that_are_no_numbers_can_be_refused() {
        let mut reader = Reader::new(NotFinite::Malformed);
        let mut scanner = Scanner::new(r#"{"a":NaN}"#);
        let flaw = reader.record(&mut scanner, &mut Keys::default());
        assert!(matches!(
            flaw,
            Err(Flaw::Malformed(Malformed { at: 5, .. }))
        ));
    }
}
