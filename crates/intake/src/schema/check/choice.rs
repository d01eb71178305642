//! Schemas that are made of others, and values that are listed.

use selvedge_json::{Scanner, unescape};

use super::{Checked, Checker, Stop, Token};
use crate::kind::Kind;
use crate::schema::canonical;
use crate::schema::mismatch::Mismatch;
use crate::schema::rules::{Combined, Kinds, Node, NodeId, Values};

/// What holding one scalar against one more schema costs, in bytes.
pub(super) const SCALAR_EFFORT: usize = 8;

/// What several schemas are held against.
pub(super) enum Subject<'c, 'a> {
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

impl<'s, 'a> Checker<'s, 'a> {
    /// Holds an object or array against a schema's own rules and those that it is made of.
    pub(super) fn chosen(
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

    /// Holds a value that was read over already against what a schema is made of.
    pub(super) fn combined(
        &mut self,
        combined: &'s Combined,
        subject: &Subject<'_, 'a>,
    ) -> Checked {
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
    pub(super) fn hold(&mut self, id: NodeId, subject: &Subject<'_, 'a>) -> Checked {
        self.spend(subject.effort())?;
        match subject {
            Subject::Scalar(token) => {
                let schema = self.schema;
                self.token(schema.node(id), *token)
            }
            Subject::List { start, depth, .. } => {
                let (data_points, level) = (self.reader.data_points, self.level);
                let (seen, members) = (self.notes.seen.len(), self.reader.members.mark());
                let held = self.value(id, &mut (*start).clone(), *depth);
                // What was read is counted already, and after a mismatch lists are open still.
                self.reader.data_points = data_points;
                self.reader.members.reset(members);
                self.level = level;
                self.notes.seen.truncate(seen);
                held
            }
        }
    }
}
