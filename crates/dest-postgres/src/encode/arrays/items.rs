//! Single items of arrays, from the server's text form to its binary form.

use selvedge_postgres::numeric;
use selvedge_shape::ColumnType;

use crate::encode::{BadValue, EPOCH_DAYS, json};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The item type's oid, which is fixed for built-in types. Arrays have no arrays as items.
pub(super) fn type_oid(item: &ColumnType) -> Option<u32> {
    Some(match item {
        ColumnType::Boolean => 16,
        ColumnType::Bytes => 17,
        ColumnType::BigInt => 20,
        ColumnType::Integer => 23,
        ColumnType::Text => 25,
        ColumnType::Double => 701,
        ColumnType::Date => 1082,
        ColumnType::Timestamp => 1114,
        ColumnType::TimestampTz => 1184,
        ColumnType::Decimal => 1700,
        ColumnType::Uuid => 2950,
        ColumnType::Json => 3802,
        ColumnType::Array(_) => return None,
    })
}

pub(super) fn write(text: &str, item: &ColumnType, out: &mut Vec<u8>) -> Result<(), BadValue> {
    match item {
        ColumnType::Boolean => out.push(match text {
            "t" | "true" => 1,
            "f" | "false" => 0,
            _ => return Err(BadValue::Malformed),
        }),
        ColumnType::Integer => {
            let value: i32 = text.parse().map_err(|_| BadValue::Integer)?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        ColumnType::BigInt => {
            let value: i64 = text.parse().map_err(|_| BadValue::Integer)?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        ColumnType::Double => {
            // `NaN`, `Infinity` and exponents read the same in both worlds.
            let value: f64 = text.parse().map_err(|_| BadValue::Malformed)?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        ColumnType::Decimal => match text {
            "NaN" => out.extend_from_slice(&[0, 0, 0, 0, 0xc0, 0, 0, 0]),
            _ => numeric::encode_text(text, out).map_err(|_| BadValue::Decimal)?,
        },
        ColumnType::Text => out.extend(text.bytes().filter(|byte| *byte != 0)),
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            out.extend_from_slice(&instant(text)?.to_be_bytes());
        }
        ColumnType::Date => out.extend_from_slice(&date(text)?.to_be_bytes()),
        ColumnType::Uuid => {
            let digits: String = text.chars().filter(|character| *character != '-').collect();
            if digits.len() != 32 {
                return Err(BadValue::Malformed);
            }
            hexadecimal(&digits, out)?;
        }
        ColumnType::Bytes => {
            hexadecimal(text.strip_prefix("\\x").ok_or(BadValue::Malformed)?, out)?;
        }
        ColumnType::Json => json::write(text, out)?,
        ColumnType::Array(_) => return Err(BadValue::Malformed),
    }
    Ok(())
}

fn hexadecimal(digits: &str, out: &mut Vec<u8>) -> Result<(), BadValue> {
    let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return Err(BadValue::Malformed);
    }
    for [high, low] in pairs {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(BadValue::Malformed);
        out.push((digit(*high)? * 16 + digit(*low)?) as u8);
    }
    Ok(())
}

/// Days since 2000-01-01 of `2024-05-01`, `0044-03-15 BC` or an infinity.
fn date(text: &str) -> Result<i32, BadValue> {
    match text {
        "infinity" => return Ok(i32::MAX),
        "-infinity" => return Ok(i32::MIN),
        _ => {}
    }
    let (text, before_christ) = era(text);
    i32::try_from(days(text, before_christ)?).map_err(|_| BadValue::Timestamp)
}

/// Microseconds since 2000-01-01 of `2024-05-01 10:00:00.123456`, with `+00` behind it where there is a zone: sessions are
/// set to UTC.
fn instant(text: &str) -> Result<i64, BadValue> {
    match text {
        "infinity" => return Ok(i64::MAX),
        "-infinity" => return Ok(i64::MIN),
        _ => {}
    }
    let (text, before_christ) = era(text);
    let text = text.strip_suffix("+00").unwrap_or(text);
    let (day, time) = text.split_once(' ').ok_or(BadValue::Malformed)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.split(':').map(number);
    let mut next = || parts.next().ok_or(BadValue::Malformed)?;
    let seconds = next()? * 3_600 + next()? * 60 + next()?;
    if fraction.len() > 6 || parts.next().is_some() {
        return Err(BadValue::Malformed);
    }
    let micros = match fraction {
        "" => 0,
        _ => number(fraction)? * 10_i64.pow(6 - fraction.len() as u32),
    };
    days(day, before_christ)?
        .checked_mul(MICROS_PER_DAY)
        .and_then(|value| value.checked_add(seconds * 1_000_000 + micros))
        .ok_or(BadValue::Timestamp)
}

fn era(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    }
}

fn number(digits: &str) -> Result<i64, BadValue> {
    let plain =
        !digits.is_empty() && digits.len() <= 7 && digits.bytes().all(|byte| byte.is_ascii_digit());
    match plain {
        true => digits.parse().map_err(|_| BadValue::Malformed),
        false => Err(BadValue::Malformed),
    }
}

/// Days since 2000-01-01 in the proleptic Gregorian calendar; counts in eras of 400 years that begin in March.
fn days(text: &str, before_christ: bool) -> Result<i64, BadValue> {
    let mut parts = text.split('-').map(number);
    let mut next = || parts.next().ok_or(BadValue::Malformed)?;
    let (year, month, day) = (next()?, next()?, next()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || parts.next().is_some() {
        return Err(BadValue::Malformed);
    }
    let year = match before_christ {
        true => 1 - year,
        false => year,
    };
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    Ok(era * 146_097 + day_of_era - 719_468 - i64::from(EPOCH_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_count_from_2000() {
        for (text, expected) in [
            ("2000-01-01", 0),
            ("2000-03-01", 60),
            ("1999-12-31", -1),
            ("1970-01-01", -10_957),
            ("0001-01-01", -730_119),
            ("0001-12-31 BC", -730_120),
            ("infinity", i32::MAX),
        ] {
            assert_eq!(date(text), Ok(expected), "{text}");
        }
        assert_eq!(instant("2000-01-01 00:00:01.5+00"), Ok(1_500_000));
        assert_eq!(instant("1999-12-31 23:59:59.999999"), Ok(-1));
        for bad in ["", "2000-01-01", "2000-01-01 00:00", "2000-13-01 00:00:00"] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }
}
