//! The shapes of refusals, one per family of endpoints. `error.rs` makes them.

#![expect(dead_code, reason = "they describe what error.rs writes as JSON")]

use serde_json::Value;
use utoipa::ToSchema;

use super::report_card::ReportCard;

/// A sentence as a JSON string.
#[derive(ToSchema)]
#[schema(examples("you are at your destination limit"))]
pub(crate) struct ErrorText(String);

/// A code to branch on, and a sentence.
#[derive(ToSchema)]
#[schema(examples(json!({"code": "BadRequest", "message": "Invalid form data.", "errors": {"partner_id": "required"}})))]
pub(crate) struct CodedError {
    /// `BadRequest` or `ExistingUser`.
    code: String,
    message: String,
    /// With `BadRequest`: what is wrong with which field, `required` or `invalid`.
    #[schema(nullable = false)]
    errors: Option<std::collections::HashMap<String, String>>,
}

/// The name of the error, and a sentence with what belongs to it.
#[derive(ToSchema)]
#[schema(examples(json!({"error": "InvalidId", "data": {"message": "source not found (151834)"}})))]
pub(crate) struct NamedError {
    /// For example `InvalidBody`, `InvalidId`, `InvalidName`, `InvalidProperties`, `InvalidType`, `AccessDenied`.
    error: String,
    data: NamedErrorData,
}

#[derive(ToSchema)]
pub(crate) struct NamedErrorData {
    message: String,
    /// With `InvalidProperties`: the names of all properties that were refused, sorted.
    #[schema(nullable = false)]
    bad_properties: Option<Vec<String>>,
    /// With `InvalidProperties`: the card as it is without the change.
    #[schema(nullable = false)]
    report_card: Option<ReportCard>,
}

/// A sentence, or the same with a name and what belongs to it.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum DestinationError {
    Text(ErrorText),
    Named(NamedError),
}

/// Why a job was not started or stopped.
#[derive(ToSchema)]
#[schema(examples(json!({"error": {"type": "invalid_source", "message": "Integration is deleted."}})))]
pub(crate) struct JobError {
    error: JobErrorDetail,
}

#[derive(ToSchema)]
pub(crate) struct JobErrorDetail {
    /// `already_running`, `invalid_source` or `generic`.
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

/// A sentence, or sentences by field.
#[derive(ToSchema)]
#[schema(examples(json!({"error": {"message": "Client does not have access to hooks."}})))]
pub(crate) struct MessageError {
    error: MessageErrorDetail,
}

#[derive(ToSchema)]
pub(crate) struct MessageErrorDetail {
    /// A string, or an object from field names to sentences.
    message: Value,
}

/// What is wrong with a change of metadata.
#[derive(ToSchema)]
#[schema(examples(json!({"invalid_fields": "Unsupported fields cannot be selected by default"})))]
pub(crate) struct InvalidFields {
    invalid_fields: String,
}

/// What is wrong with a change of metadata: a sentence when the body has not the right form.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum MetadataError {
    Text(ErrorText),
    Fields(InvalidFields),
}

/// The name of the error, a sentence, or a sentence with its name.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum HookError {
    Bare(BareError),
    Message(MessageError),
    Named(NamedError),
}

/// A name alone.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"error": "NotFound"})))]
pub(crate) struct BareError {
    error: String,
}

/// In the terms of RFC 6749, section 5.2.
#[derive(ToSchema)]
#[schema(examples(json!({"error": "invalid_grant"})))]
pub(crate) struct TokenError {
    /// `invalid_request`, `invalid_client`, `invalid_grant` or `unsupported_grant_type`.
    error: String,
}
