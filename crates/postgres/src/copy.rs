//! The binary form of COPY: its frame, and a cursor over rows.
//!
//! Layout: "COPY, File Formats, Binary Format" in the server's manual. The header is [`SIGNATURE`], a 32-bit flags field
//! and the length of an extension area; each row is a 16-bit field count and, per field, a 32-bit length (-1 is NULL) and
//! that many bytes; the end is the field count -1. Numbers are big-endian.

use crate::numeric::InvalidNumeric;

/// What every stream begins with.
pub const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// A complete header without flags and extensions.
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// A complete trailer.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Bytes that are not a binary COPY stream, or not of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    #[error("the stream does not begin with a binary COPY header")]
    Header,
    #[error("the stream ends within a row")]
    Truncated,
    #[error("a row has {found} fields where {expected} were asked for")]
    FieldCount { expected: usize, found: i16 },
    #[error("a field has the length {0}")]
    FieldLength(i32),
    #[error("bytes follow the end of the stream")]
    Trailing,
    #[error("a value has {found} bytes where its type has {expected}")]
    ValueLength { expected: usize, found: usize },
    #[error(transparent)]
    Numeric(#[from] InvalidNumeric),
}

/// The rows of one CopyData message, read in place. A message holds whole rows; PostgreSQL sends one per message.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    rest: &'a [u8],
}

/// What comes next in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A row of the expected number of fields: take each with [`Rows::field`].
    Row,
    /// The message is used up.
    Message,
    /// The trailer: there are no rows any more.
    End,
}

impl<'a> Rows<'a> {
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Skips the header, which stands at the very beginning of the stream, with whatever extension it announces.
    pub fn header(&mut self) -> Result<(), CopyError> {
        let after = self
            .rest
            .strip_prefix(SIGNATURE.as_slice())
            .ok_or(CopyError::Header)?;
        let (fixed, rest) = after.split_at_checked(8).ok_or(CopyError::Header)?;
        let (flags, extension) = fixed.split_at(4);
        // Bits 16 to 31 are critical: a reader that does not know them must give up.
        if flags[..2] != [0, 0] {
            return Err(CopyError::Header);
        }
        let length = u32::from_be_bytes([extension[0], extension[1], extension[2], extension[3]]);
        let length = usize::try_from(length).map_err(|_| CopyError::Header)?;
        self.rest = rest.get(length..).ok_or(CopyError::Header)?;
        Ok(())
    }

    /// Moves to the next row, which must have `fields` fields.
    #[inline]
    pub fn next(&mut self, fields: usize) -> Result<Next, CopyError> {
        if self.rest.is_empty() {
            return Ok(Next::Message);
        }
        let (count, rest) = self
            .rest
            .split_first_chunk::<2>()
            .ok_or(CopyError::Truncated)?;
        let found = i16::from_be_bytes(*count);
        self.rest = rest;
        if usize::try_from(found).is_ok_and(|found| found == fields) {
            return Ok(Next::Row);
        }
        if found != -1 {
            return Err(CopyError::FieldCount {
                expected: fields,
                found,
            });
        }
        if rest.is_empty() {
            Ok(Next::End)
        } else {
            Err(CopyError::Trailing)
        }
    }

    /// The next field of the current row; `None` is NULL.
    #[inline]
    pub fn field(&mut self) -> Result<Option<&'a [u8]>, CopyError> {
        let (length, rest) = self
            .rest
            .split_first_chunk::<4>()
            .ok_or(CopyError::Truncated)?;
        let length = i32::from_be_bytes(*length);
        if length == -1 {
            self.rest = rest;
            return Ok(None);
        }
        let size = usize::try_from(length).map_err(|_| CopyError::FieldLength(length))?;
        let (field, rest) = rest.split_at_checked(size).ok_or(CopyError::Truncated)?;
        self.rest = rest;
        Ok(Some(field))
    }
}

/// A field whose type has a fixed width.
#[inline]
pub fn fixed<const N: usize>(field: &[u8]) -> Result<[u8; N], CopyError> {
    field.try_into().map_err(|_| CopyError::ValueLength {
        expected: N,
        found: field.len(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for row in rows {
            bytes.extend(i16::try_from(row.len()).unwrap().to_be_bytes());
            for field in *row {
                match field {
                    None => bytes.extend((-1_i32).to_be_bytes()),
                    Some(field) => {
                        bytes.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
                        bytes.extend(*field);
                    }
                }
            }
        }
        bytes
    }

    #[test]
    fn header_rows_and_trailer_are_read_in_place() {
        let mut bytes = HEADER.to_vec();
        bytes.extend(message(&[&[Some(b"ab"), None], &[None, Some(b"")]]));
        bytes.extend(TRAILER);
        let mut rows = Rows::new(&bytes);
        rows.header().unwrap();
        assert_eq!(rows.next(2), Ok(Next::Row));
        assert_eq!(rows.field(), Ok(Some(b"ab".as_slice())));
        assert_eq!(rows.field(), Ok(None));
        assert_eq!(rows.next(2), Ok(Next::Row));
        assert_eq!(rows.field(), Ok(None));
        assert_eq!(rows.field(), Ok(Some(b"".as_slice())));
        assert_eq!(rows.next(2), Ok(Next::End));
        assert_eq!(Rows::new(&[]).next(2), Ok(Next::Message));
    }

    #[test]
    fn malformed_streams_are_errors() {
        assert_eq!(Rows::new(b"PGCOPY").header(), Err(CopyError::Header));
        let mut critical = HEADER.to_vec();
        critical[12] = 1;
        assert_eq!(Rows::new(&critical).header(), Err(CopyError::Header));
        assert_eq!(
            Rows::new(&[0, 3]).next(2),
            Err(CopyError::FieldCount {
                expected: 2,
                found: 3
            })
        );
        assert_eq!(Rows::new(&[0]).next(2), Err(CopyError::Truncated));
        assert_eq!(Rows::new(&[255, 255, 0]).next(2), Err(CopyError::Trailing));
        assert_eq!(
            Rows::new(&[255, 255, 255, 254]).field(),
            Err(CopyError::FieldLength(-2))
        );
        assert_eq!(
            Rows::new(&[0, 0, 0, 9, 1]).field(),
            Err(CopyError::Truncated)
        );
        assert!(fixed::<4>(&[1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_cursor_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), fields in 0_usize..4) {
            let mut rows = Rows::new(&bytes);
            // Only panics matter here: errors are what arbitrary bytes should give.
            let _ = rows.header();
            while rows.next(fields) == Ok(Next::Row) {
                for _ in 0..fields {
                    if rows.field().is_err() {
                        return Ok(());
                    }
                }
                if fields == 0 {
                    return Ok(());
                }
            }
        }
    }
}
