//! Bodies of push and validate: an array of records, each of which names its table and its keys.
//!
//! One pass over the text. What is wrong is gathered on the way and answered at the end, because a body that is no JSON is
//! told before anything about its first record.

mod answers;
mod envelope;
mod groups;
mod keys;
#[cfg(test)]
mod tests;
mod text;

use bytes::Bytes;
use selvedge_json::Scanner;
use selvedge_types::AccountId;
use serde_json::Value;

use crate::record::{Flaw, mend_surrogates};
use crate::transit::{self, TransitError};
use crate::{Intake, Refusal};
use answers::MAX_ERRORS;
pub(crate) use answers::{malformed, unexpected};
use envelope::{Client, Envelopes};
use groups::Groups;
use text::Strings;

/// Records of one request.
pub const MAX_RECORDS: usize = 20_000;

/// Bytes of a body of Transit once it is JSON: a code of its cache may stand for a long name. Four times what a body may have.
const MAX_DECODED_BYTES: usize = 80 << 20;

pub(crate) const TOO_MANY_RECORDS: &str = "Batch cannot contain more than 20000 records";
const ARRAY_EXPECTED: &str = "An array of records is expected";

/// Takes a body of `application/json` that `account` pushes.
///
/// # Errors
/// The documented answer to what is wrong with it.
pub fn push(body: Bytes, account: AccountId) -> Result<Intake, Refusal> {
    take(body, account, Strings::Plain)
}

/// Takes a body of `application/transit+json`, in the compact or the verbose form. The messages are JSON whose strings are
/// tagged.
///
/// # Errors
/// The documented answer to what is wrong with it.
pub fn push_transit(body: Bytes, account: AccountId) -> Result<Intake, Refusal> {
    let decode = |body: &Bytes| -> Result<String, TransitError> {
        let text = selvedge_json::utf8(body)?;
        transit::to_json(text, MAX_DECODED_BYTES)
    };
    let decoded = match decode(&body) {
        Err(TransitError::LoneSurrogate) => decode(&mend_surrogates(body)),
        decoded => decoded,
    };
    match decoded {
        Ok(json) => take(Bytes::from(json), account, Strings::Tagged),
        Err(TransitError::TooLarge(bytes)) => Err(answers::too_large(bytes)),
        Err(problem) => Err(malformed(problem)),
    }
}

fn take(body: Bytes, account: AccountId, strings: Strings) -> Result<Intake, Refusal> {
    let take = |body: &Bytes| -> Result<Result<Intake, Refusal>, Flaw> {
        let text = match selvedge_json::utf8(body) {
            Ok(text) => text,
            Err(encoding) => return Ok(Err(malformed(encoding))),
        };
        let mut envelopes = Envelopes::new(text, strings);
        let groups = read(text, account, &mut envelopes)?.verdict(account);
        Ok(groups.map(|groups| groups.into_intake(body, &envelopes.key_sets, strings)))
    };
    let taken = match take(&body) {
        Err(Flaw::LoneSurrogate) => take(&mend_surrogates(body)),
        taken => taken,
    };
    taken.map_err(malformed)?
}

/// What a well-formed body turned out to be.
#[derive(Debug, Default)]
struct Findings {
    /// It is no array, or something in it is no object.
    others: bool,
    record_count: usize,
    /// A record does not say whose it is.
    no_client: bool,
    /// The first record is somebody else's.
    first_foreign: bool,
    /// One behind it is.
    foreign: bool,
    /// What is wrong with the first offending records.
    reasons: Vec<Value>,
    groups: Groups,
}

fn read<'a>(
    text: &'a str,
    account: AccountId,
    envelopes: &mut Envelopes<'a>,
) -> Result<Findings, Flaw> {
    let mut found = Findings::default();
    let mut scanner = Scanner::new(text);
    if scanner.peek() != b'[' {
        envelopes.skip(&mut scanner)?;
        scanner.end()?;
        found.others = true;
        return Ok(found);
    }
    scanner.skip_byte();
    while scanner.another(found.record_count == 0, b']')? {
        let number = found.record_count;
        found.record_count += 1;
        if scanner.peek() != b'{' {
            envelopes.skip(&mut scanner)?;
            found.others = true;
            continue;
        }
        let start = scanner.position();
        let envelope = envelopes.read(&mut scanner)?;
        match envelopes.client(&envelope, account) {
            Client::Own => {}
            Client::Nobody => found.no_client = true,
            Client::Foreign if number == 0 => found.first_foreign = true,
            Client::Foreign => found.foreign = true,
        }
        if found.is_lost() {
            continue;
        }
        match envelopes.judge(envelope)? {
            Ok(_) if !found.reasons.is_empty() => {}
            Ok(good) => {
                let range = start..scanner.position();
                found.groups.push(number, range, good);
            }
            Err(reason) => found.reasons.push(reason),
        }
    }
    scanner.end()?;
    Ok(found)
}

impl Findings {
    /// Whether nothing that later records have could change the answer, but that they may be malformed.
    fn is_lost(&self) -> bool {
        self.no_client
            || self.first_foreign
            || self.others
            || self.record_count > MAX_RECORDS
            || self.reasons.len() >= MAX_ERRORS
    }

    /// The answer to what comes first in the order of checks.
    fn verdict(self, account: AccountId) -> Result<Groups, Refusal> {
        if self.others || self.record_count == 0 {
            return Err(unexpected(ARRAY_EXPECTED));
        }
        if self.record_count > MAX_RECORDS {
            return Err(unexpected(TOO_MANY_RECORDS));
        }
        if self.no_client {
            return Err(answers::no_client());
        }
        if self.first_foreign {
            return Err(answers::foreign_client());
        }
        if self.foreign {
            return Err(answers::several_clients(account));
        }
        match self.reasons.is_empty() {
            true => Ok(self.groups),
            false => Err(answers::unprocessable(self.reasons)),
        }
    }
}
