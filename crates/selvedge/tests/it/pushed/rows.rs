//! The contract of the Import API and of incoming webhooks as a list. `docs/conformance.md` says which test shows which row.

use selvedge_testkit::contract::{Contract, Row};

use super::Said;

pub(crate) const CONTRACT: Contract = Contract {
    heading: "Import API and incoming webhooks",
    introduction: "The table is made from `crates/selvedge/tests/it/pushed/rows.rs` and the tests beside it, which send to the real server. To renew
it:",
    rows: ROWS,
    tests: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/pushed"),
    document: concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md"),
    renewal: "cargo test -p selvedge --test it pushed::rows",
};

impl Said {
    /// Compares status and body with a row, byte for byte, after its `<NAME>`s have been given values.
    #[track_caller]
    pub(crate) fn shows(&self, id: &str, values: &[(&str, &str)]) -> &Self {
        let row = CONTRACT.row(id);
        assert_eq!(self.status, row.status, "{id}: {}", self.text);
        if let Some(body) = row.body_with(values) {
            assert_eq!(self.text, body, "{id}");
        }
        self
    }
}

#[test]
fn the_table_in_docs_is_complete_and_up_to_date() {
    CONTRACT.is_documented();
}

const BATCH: &str = "POST /v2/import/batch";
const PUSH: &str = "POST /v2/import/push, /v2/import/validate";
const WEBHOOK: &str = "POST /v2/webhooks/{token}";

const fn batch(id: &'static str, cause: &'static str, body: &'static str) -> Row {
    Row::new(id, BATCH, cause, 400, body)
}

const fn push(id: &'static str, cause: &'static str, status: u16, body: &'static str) -> Row {
    Row::new(id, PUSH, cause, status, body)
}

/// A record that is not as it should be.
macro_rules! unprocessable {
    ($id:literal, $cause:literal, $reason:literal) => {
        push(
            $id,
            $cause,
            422,
            concat!(
                r#"{"status":"ERROR","error":"Request cannot be processed; see errors.","errors":[{"reason":"#,
                $reason,
                "}]}"
            ),
        )
    };
}

const ROWS: &[Row] = &[
    Row::new(
        "IMP-401",
        "any with a token",
        "Missing, unknown or revoked token, or another credential in its place",
        401,
        r#"{"message":"Not Authorized"}"#,
    ),
    Row::new(
        "IMP-INACTIVE",
        "any with a token",
        "The token's source is paused or deleted",
        401,
        r#"{"error":"Forbidden","errors":{"error":"Connection is not active."}}"#,
    ),
    Row::new(
        "IMP-404",
        "any under /v2",
        "Unknown address",
        404,
        r#"{"message":"Not Found"}"#,
    ),
    Row::new(
        "IMP-405",
        "any under /v2",
        "A method that the address does not have",
        405,
        "Method not allowed.",
    ),
    Row::new(
        "IMP-413",
        "any with a body",
        "Body over the limit, after decompression",
        413,
        r#"{"status":"ERROR","message":"Request rejected: request size (<BYTES>s bytes) exceeds the maximum"}"#,
    ),
    Row::new(
        "IMP-ENCODING",
        "any with a body",
        "Another `Content-Encoding` than gzip and deflate",
        415,
        r#"{"status":"ERROR","message":"Unsupported content-encoding <ENCODING>. Please send gzip, deflate or no encoding"}"#,
    ),
    Row::new(
        "IMP-DECODE",
        "any with a body",
        "A body that is not encoded as it says",
        400,
        r#"{"status":"ERROR","message":"The body is not encoded as its Content-Encoding says"}"#,
    ),
    Row::new(
        "IMP-QUOTA",
        "any with a body",
        "Too much of the account waits to be loaded",
        503,
        r#"{"status":"ERROR","message":"Too much data of this account waits to be loaded. Nothing of this request was accepted; send it again later."}"#,
    ),
    Row::new(
        "IMP-503",
        "any with a body",
        "Nothing can be kept, whatever the reason",
        503,
        r#"{"status":"ERROR","message":"The data could not be stored durably. Nothing of this request was accepted; send it again later."}"#,
    ),
    Row::success("GET /v2/import/status", "Records can be kept", 200),
    Row::new(
        "STATUS-503",
        "GET /v2/import/status",
        "Records cannot be kept",
        503,
        "",
    ),
    Row::new(
        BATCH,
        BATCH,
        "Accepted",
        201,
        r#"{"status":"OK","message":"Batch Accepted!"}"#,
    ),
    batch(
        "BAT-REQUIRED",
        "An argument is missing",
        r#"{"error":"Request failed validation:#: required key [<ARGUMENT>] not found"}"#,
    ),
    batch(
        "BAT-EXTRANEOUS",
        "An unknown argument",
        r#"{"error":"Request failed validation:#: extraneous key [<ARGUMENT>] is not permitted"}"#,
    ),
    batch(
        "BAT-TYPE",
        "An argument of another JSON type",
        r#"{"error":"Request failed validation:#/<ARGUMENT>: expected type: <EXPECTED>, found: <FOUND>"}"#,
    ),
    batch(
        "BAT-MESSAGE",
        "A message lacks `action`, `sequence` or `data`",
        r#"{"error":"Request failed validation:#/messages/<INDEX>: #: 0 subschemas matched instead of one #/messages/<INDEX>: 2 schema violations found #/messages/<INDEX>: required key [<ARGUMENT>] not found #/messages/<INDEX>: extraneous key [data] is not permitted #/messages/<INDEX>: required key [<ARGUMENT>] not found"}"#,
    ),
    batch(
        "BAT-SEQUENCE",
        "`sequence` beyond 64 bits",
        r#"{"error":"Request failed validation:#: sequence can not be above 9223372036854775807"}"#,
    ),
    batch(
        "BAT-NONE",
        "No messages",
        r#"{"error":"Request failed validation:#/messages: expected minimum item count: 1, found: 0"}"#,
    ),
    batch(
        "BAT-MANY",
        "More than 20,000 messages",
        r#"{"error":"Request failed validation:#/messages: expected maximum item count: 20000, found: <COUNT>"}"#,
    ),
    batch(
        "BAT-KEY-NAME",
        "A key that is no property of the schema",
        r#"{"error":"Request failed validation:#/key_names: key property [<KEY>] not found in schema"}"#,
    ),
    batch(
        "BAT-SCHEMA",
        "The schema has an unknown type",
        r#"{"error":"Invalid JSON schema: unknown type: [<TYPE>]"}"#,
    ),
    batch(
        "BAT-RECORD",
        "A record does not conform to the schema",
        r##"{"error":"Record <INDEX> did not conform to schema: #/<FIELD>: expected: <EXPECTED>, found: <FOUND>"}"##,
    ),
    batch(
        "BAT-KEY",
        "A record lacks a key property, or it is null",
        r#"{"error":"Record is missing key property <KEY>"}"#,
    ),
    batch(
        "BAT-KEY-LENGTH",
        "A text as key of more than 1,024 characters",
        r#"{"error":"String keys cannot be longer than 1024 characters"}"#,
    ),
    batch(
        "BAT-POINTS",
        "A record of more than 10,000 data points",
        r#"{"error":"Record <INDEX> has more than 10000 data points"}"#,
    ),
    batch(
        "BAT-MALFORMED",
        "The body is no JSON",
        r#"{"error":"Malformed json in the body!"}"#,
    ),
    Row::new(
        "BAT-415",
        BATCH,
        "Another media type",
        415,
        "Content-Type must be application/json",
    ),
    Row::new(
        "POST /v2/import/push",
        "POST /v2/import/push",
        "Accepted",
        201,
        r#"{"status":"OK","message":"Batch Accepted!"}"#,
    ),
    Row::new(
        "POST /v2/import/validate",
        "POST /v2/import/validate",
        "It would be accepted",
        200,
        r#"{"status":"OK","message":"Batch is valid!"}"#,
    ),
    push(
        "PSH-ARRAY",
        "The body is no array, or an empty one",
        400,
        r#"{"status":"ERROR","message":"An array of records is expected"}"#,
    ),
    push(
        "PSH-MALFORMED",
        "The body is no JSON, or no Transit",
        400,
        r#"{"status":"ERROR","message":"Malformed json in the body!","error":"<PROBLEM>","input":null}"#,
    ),
    push(
        "PSH-MANY",
        "More than 20,000 records",
        400,
        r#"{"status":"ERROR","message":"Batch cannot contain more than 20000 records"}"#,
    ),
    push(
        "PSH-CLIENT",
        "A record without `client_id`",
        401,
        r#"{"status":"ERROR","error":"Not Authenticated.","errors":null}"#,
    ),
    push(
        "PSH-FOREIGN",
        "Records of another account",
        403,
        r#"{"status":"ERROR","error":"Forbidden","errors":{"error":"Access token is not associated with this client."}}"#,
    ),
    push(
        "PSH-415",
        "Another media type",
        415,
        r#"{"status":"ERROR","message":"Unsupported content-type <TYPE>. Please send application/json or application/transit+json"}"#,
    ),
    unprocessable!(
        "PSH-SEVERAL",
        "Records of several accounts",
        r#""The batch contains data points for multiple clients. Only client_id <ACCOUNT_ID> is allowed""#
    ),
    unprocessable!(
        "PSH-BLANK",
        "An argument is missing or blank",
        r#"{"<ARGUMENT>":["can't be blank"]}"#
    ),
    unprocessable!(
        "PSH-SEQUENCE",
        "`sequence` is no integer",
        r#"{"sequence":["should be an integer","should be a number"]}"#
    ),
    unprocessable!(
        "PSH-DATA",
        "`data` is no object",
        r#"{"data":["data must be an object"]}"#
    ),
    unprocessable!(
        "PSH-KEYS",
        "`data` lacks a key",
        r#"{"data":["data must include keys"]}"#
    ),
    unprocessable!(
        "PSH-NULL-KEY",
        "A key is null",
        r#"{"data":["keys cannot not be null in data"]}"#
    ),
    unprocessable!(
        "PSH-KEY-PROPERTIES",
        "The keys under another name",
        r#"{"key_names":["can't be blank"],"key_properties":["unknown key"]}"#
    ),
    unprocessable!(
        "PSH-KEY-LENGTH",
        "A text as key of more than 1,024 characters",
        r#"{"data":["String keys cannot be longer than 1024 characters"]}"#
    ),
    unprocessable!(
        "PSH-UNKNOWN",
        "An unknown argument",
        r#"{"<ARGUMENT>":["unknown key"]}"#
    ),
    Row::new(
        WEBHOOK,
        WEBHOOK,
        "Accepted",
        200,
        r#"{"status":"OK","message":"Batch Accepted!"}"#,
    ),
    Row::new(
        "WHK-OBJECTS",
        WEBHOOK,
        "The body is neither an object nor an array of objects",
        400,
        r#"{"status":"ERROR","message":"An object or an array of objects is expected"}"#,
    ),
    Row::new(
        "WHK-MALFORMED",
        WEBHOOK,
        "The body is no JSON",
        400,
        r#"{"status":"ERROR","message":"Malformed json in the body!","error":"<PROBLEM>","input":null}"#,
    ),
    Row::new(
        "WHK-415",
        WEBHOOK,
        "Another media type",
        415,
        r#"{"status":"ERROR","message":"Unsupported content-type <TYPE>. Please send application/json or application/transit+json"}"#,
    ),
];
