//! Hostile and cut-off streams; values are tested against a real server.

use selvedge_connector::{ErrorKind, Field, StreamSchema};
use selvedge_postgres::copy::{HEADER, TRAILER};

use super::*;

fn decoder(wire: Wire, logical_type: LogicalType) -> BatchDecoder {
    let schema = StreamSchema::new(vec![Field::new("price", logical_type.clone())]);
    BatchDecoder::new(schema, &[Mapping { logical_type, wire }], 1 << 20, 10).unwrap()
}

fn row(field: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 1];
    message.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
    message.extend(field);
    message
}

#[test]
fn a_stream_without_a_trailer_is_an_error() {
    let mut decoder = decoder(Wire::Int4, LogicalType::Int32);
    let mut message = HEADER.to_vec();
    message.extend(row(&[0, 0, 0, 7]));
    assert!(!decoder.push(&message).unwrap());
    assert_eq!(
        decoder.check_end().unwrap_err().kind,
        ErrorKind::Unreachable
    );
    decoder.push(&TRAILER).unwrap();
    decoder.check_end().unwrap();
    assert_eq!(decoder.take().unwrap().unwrap().records.num_rows(), 1);
    assert!(decoder.push(&row(&[0, 0, 0, 8])).is_err());
}

#[test]
fn a_batch_is_full_at_its_rows() {
    let mut decoder = decoder(Wire::Int4, LogicalType::Int32);
    decoder.push(HEADER).unwrap();
    for index in 1..=10 {
        assert_eq!(decoder.push(&row(&[0, 0, 0, 7])).unwrap(), index == 10);
    }
    decoder.take().unwrap();
    assert!(!decoder.push(&row(&[0, 0, 0, 7])).unwrap());
}

#[test]
fn a_value_of_the_wrong_form_is_an_error_that_names_the_column() {
    for (wire, logical_type, field) in [
        (Wire::Int4, LogicalType::Int32, &[0, 0, 7][..]),
        (Wire::Int8, LogicalType::Int64, &[0, 0, 0, 7]),
        (Wire::Bool, LogicalType::Boolean, &[2]),
        (Wire::Bit, LogicalType::Boolean, &[0, 0, 0, 2, 0x80]),
        (Wire::Jsonb, LogicalType::Json, &[2, b'{', b'}']),
        (Wire::Uuid, LogicalType::Text, &[0; 15]),
        (
            Wire::Numeric,
            LogicalType::Decimal {
                precision: 4,
                scale: 0,
            },
            &[0, 1, 255, 255, 0, 0, 0, 1, 0, 1],
        ),
    ] {
        let mut decoder = decoder(wire, logical_type);
        decoder.push(HEADER).unwrap();
        let error = decoder.push(&row(field)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Data);
        assert!(error.message.contains("price"), "{}", error.message);
    }
}

#[test]
fn text_that_is_not_utf_8_is_an_error() {
    let mut decoder = decoder(Wire::Text, LogicalType::Text);
    decoder.push(HEADER).unwrap();
    decoder.push(&row(b"ok")).unwrap();
    decoder.push(&row(&[0xff, 0xfe])).unwrap();
    let error = decoder.take().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Data);
    assert!(error.message.contains("price"), "{}", error.message);
}
