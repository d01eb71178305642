//! Variable segments of addresses. An id that is no decimal 64-bit number is an address that does not exist: 404.

#![expect(
    dead_code,
    reason = "they describe what the extractors of path.rs parse"
)]

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AccountPath {
    /// The account of the access token (`stitch_client_id`); any other is 401.
    #[param(minimum = 0, example = 140_217)]
    account_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DestinationPath {
    /// Id of the destination.
    #[param(minimum = 0, example = 160_911)]
    destination_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SourcePath {
    /// Id of the source.
    #[param(minimum = 0, example = 151_834)]
    source_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct StreamPath {
    /// The numeric id of the stream, not its `tap_stream_id`.
    #[param(minimum = 0, example = 770_154)]
    stream_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ImportTokenPath {
    /// Id of the access token.
    #[param(minimum = 0, example = 330_218)]
    token_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct CustomEmailPath {
    /// Id of the custom e-mail.
    #[param(minimum = 0, example = 100_027)]
    custom_email_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct HookPath {
    /// Id of the hook.
    #[param(minimum = 0, example = 100_031)]
    hook_id: i64,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct JobPath {
    /// Name of the job: `<account>.<connection>.<mode>.<uuid>`.
    #[param(example = "140217.151834.sync.7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f")]
    job_name: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// From 1; 100 records each. What is no positive number counts as 1.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct HeldTag {
    /// Entity tag of the answer that the caller has; while it is the same, the answer is 304 without a body.
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}
