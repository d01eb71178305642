//! Numbers of the gate, with low-cardinality labels: no account, source or table is a label.

use ::metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram,
};

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

/// The numbers of a gate, looked up once.
pub(crate) struct GateMetrics {
    pub(crate) status: EndpointMetrics,
    pub(crate) batch: EndpointMetrics,
    pub(crate) push: EndpointMetrics,
    pub(crate) validate: EndpointMetrics,
    pub(crate) webhook: EndpointMetrics,
    records: Counter,
    bytes: Counter,
}

/// The numbers of one endpoint.
pub(crate) struct EndpointMetrics {
    pub(crate) endpoint: &'static str,
    /// The status of a request that all is well with, and how many had it.
    usual: (u16, Counter),
    seconds: Histogram,
}

impl GateMetrics {
    /// The recorder is installed by then, or the numbers go nowhere.
    pub(crate) fn new() -> Self {
        Self {
            status: EndpointMetrics::new("status", 200),
            batch: EndpointMetrics::new("batch", 201),
            push: EndpointMetrics::new("push", 201),
            validate: EndpointMetrics::new("validate", 200),
            webhook: EndpointMetrics::new("webhook", 200),
            records: counter!(RECORDS),
            bytes: counter!(BYTES),
        }
    }

    pub(crate) fn accepted(&self, records: u64, bytes: usize) {
        self.records.increment(records);
        self.bytes.increment(bytes as u64);
    }
}

impl EndpointMetrics {
    fn new(endpoint: &'static str, usual_status: u16) -> Self {
        Self {
            endpoint,
            usual: (usual_status, requests(endpoint, usual_status)),
            seconds: histogram!(SECONDS, "endpoint" => endpoint),
        }
    }

    pub(crate) fn answered(&self, status: u16, seconds: f64) {
        match &self.usual {
            (usual, count) if *usual == status => count.increment(1),
            _ => requests(self.endpoint, status).increment(1),
        }
        self.seconds.record(seconds);
    }
}

fn requests(endpoint: &'static str, status: u16) -> Counter {
    counter!(REQUESTS, "endpoint" => endpoint, "status" => status.to_string())
}
