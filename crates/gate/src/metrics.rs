//! Numbers of the gate, with low-cardinality labels: no account, source or table is a label.

use ::metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "selvedge_intake_requests_total";
const RECORDS: &str = "selvedge_intake_records_total";
const BYTES: &str = "selvedge_intake_bytes_total";
const SECONDS: &str = "selvedge_intake_request_duration_seconds";

/// Says once what the numbers mean.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests to the gate, by endpoint and status");
    describe_counter!(RECORDS, "Records accepted durably");
    describe_counter!(BYTES, Unit::Bytes, "Bytes of accepted bodies, decompressed");
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time from a request's head to its answer, by endpoint"
    );
}

pub(crate) fn answered(endpoint: &'static str, status: u16, seconds: f64) {
    counter!(REQUESTS, "endpoint" => endpoint, "status" => status.to_string()).increment(1);
    histogram!(SECONDS, "endpoint" => endpoint).record(seconds);
}

pub(crate) fn accepted(records: u64, bytes: usize) {
    counter!(RECORDS).increment(records);
    counter!(BYTES).increment(bytes as u64);
}
