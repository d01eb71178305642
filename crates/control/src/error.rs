//! Everything a use case may refuse. A variant carries what the documented answer prints; the words and statuses of
//! the answers belong to whoever talks to the caller.

use std::io;

use selvedge_catalog::ReportCard;
use selvedge_types::schedule::CronError;
use selvedge_types::{AccountId, DestinationId, ImportTokenId, SourceId, StreamId};
use serde_json::value::RawValue;

use crate::plans::UnknownPlan;

use crate::oauth::{AuthorizationProblem, ExchangeProblem};

/// Why a use case did not happen. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    // Accounts.
    #[error("the email address belongs to an active user")]
    ExistingUser,
    /// Failing fields with what is wrong; empty when the body is no object.
    #[error("the form is not valid")]
    InvalidForm(Vec<(&'static str, FormProblem)>),

    // Partner authentication.
    #[error(transparent)]
    Authorization(#[from] AuthorizationProblem),
    #[error(transparent)]
    Exchange(#[from] ExchangeProblem),

    // Destinations.
    #[error("the account has as many destinations as it may have")]
    DestinationLimit,
    #[error("the body of a new destination is not as documented")]
    NewDestinationBody,
    #[error("the body of a destination change is not as documented")]
    DestinationChangeBody,
    /// In version 3, where new destinations and changes are asked for alike.
    #[error("the body is not as version 3 documents it")]
    DestinationV3Body,
    #[error("the type of a destination does not change")]
    DestinationTypeFixed,
    #[error("no such destination to change")]
    UnknownConnection,
    #[error("no such destination to delete")]
    NoDestinationToDelete(AccountId, DestinationId),
    #[error("no destination type {0}")]
    UnknownDestinationType(String),
    #[error("no access to destination type {0}")]
    NoAccessToDestinationType(String),

    // Sources.
    #[error("the body of a new source is not as documented")]
    NewSourceBody,
    #[error("the body of a source change is not as documented")]
    SourceChangeBody,
    #[error("no source type {0}")]
    UnknownSourceType(String),
    #[error("no access to source type {0}")]
    NoAccessToSourceType(String),
    #[error("not a valid name of a source")]
    InvalidName,
    #[error("the name {0} is taken")]
    NameTaken(String),
    #[error("no valid name follows from {display_name}")]
    InvalidDerivedName { display_name: String, name: String },
    #[error("the name {name} that follows from {display_name} is taken")]
    DerivedNameTaken { display_name: String, name: String },
    /// The value as it was sent: a string's text, anything else as JSON.
    #[error("not a valid label of a source: {0}")]
    InvalidDisplayName(String),
    #[error("the plan has no cron scheduling")]
    NoAccessToCron,
    #[error("cron_expression is refused: {reason}")]
    InvalidCronExpression {
        expression: String,
        reason: CronError,
    },
    #[error("no such source")]
    SourceNotFound(SourceId),
    #[error("no such destination")]
    DestinationNotFound(DestinationId),

    // Import API access tokens.
    #[error("sources of this type have no access tokens")]
    NoImportTokens(SourceId),
    #[error("sources of this type receive no webhooks")]
    NoWebhooks(SourceId),
    #[error("the source has as many active access tokens as it may have")]
    ImportTokenLimit(SourceId),
    #[error("no such active access token of the source")]
    ImportTokenNotFound(ImportTokenId),

    // Properties of both.
    /// `card` is the report card as it would be without the change.
    #[error("properties do not match their schemas: {}", names.join(", "))]
    BadProperties {
        names: Vec<String>,
        card: Box<ReportCard<'static>>,
    },
    /// A well-formed property that this build cannot honour; `sentence` says which and what to do.
    #[error("{sentence}")]
    UnavailableProperty {
        name: &'static str,
        sentence: &'static str,
        card: Box<ReportCard<'static>>,
    },

    // Streams.
    #[error("no such stream")]
    StreamNotFound(StreamId),
    #[error("the body of a metadata update is not as documented")]
    MalformedMetadata,
    /// In the order of the body, each once; `None` for entries without an id.
    #[error("unknown streams")]
    UnknownTapStreams(Vec<Option<String>>),
    #[error("no such breadcrumb: {}", .0.join(" "))]
    UnknownBreadcrumb(Vec<String>),
    /// In the order of the body, each once.
    #[error("discovered metadata cannot be set: {}", .0.join(" "))]
    ReadOnlyMetadata(Vec<String>),
    #[error("wrong value of the metadata key {0}")]
    InvalidMetadataValue(String),
    #[error("unsupported fields cannot be selected")]
    UnsupportedFieldSelected,

    // Jobs.
    #[error("a job of the source is in progress")]
    AlreadyRunning(AccountId, SourceId),
    #[error("no such source to run")]
    NoSourceToRun(AccountId, SourceId),
    #[error("the source is deleted")]
    SourceDeleted,
    #[error("the source is not ready for a job")]
    NotReadyForJob(AccountId, SourceId),

    // Notifications.
    #[error("the plan has no custom e-mails")]
    NoAccessToCustomEmails,
    #[error("not a valid email address")]
    InvalidEmailAddress,
    #[error("the account has as many custom e-mails as it may have")]
    CustomEmailLimit,
    #[error("no such custom e-mail")]
    CustomEmailNotFound,
    /// The value as it was sent; `None` when there was none.
    #[error("disabled_at is neither an instant nor null")]
    InvalidDisabledAt(Option<Box<RawValue>>),
    #[error("the plan has no hooks")]
    NoAccessToHooks,
    #[error("the body of a new hook is not as documented")]
    NewHookBody,
    #[error("the account has the {0} hooks that it may have")]
    HookLimit(u64),
    #[error("the body of a hook change is not as documented")]
    HookChangeBody,
    #[error("no such hook")]
    HookNotFound,

    /// An id, type or record that does not exist, where nothing more is said about it.
    #[error("not found")]
    NotFound,

    // Our own failures.
    #[error("the first request with this idempotency key does not end")]
    FirstRunUnfinished,
    #[error("the store failed")]
    Store(#[from] selvedge_store::StoreError),
    #[error("a job log could not be read")]
    Log(#[from] io::Error),
    /// An account is on a plan that the operator has not defined.
    #[error(transparent)]
    UnknownPlan(#[from] UnknownPlan),
    /// A stored connection has a type that the catalogue lost.
    #[error("the catalogue has no type {0}, which a stored connection is of")]
    MissingType(String),
    #[error("a report card could not be written as JSON")]
    Card(#[from] serde_json::Error),
    /// What is stored about a stream cannot be understood.
    #[error("the stored {what} of stream {stream} cannot be understood")]
    StoredStream {
        stream: StreamId,
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
}

/// What is wrong with a field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormProblem {
    /// Missing, null or empty; credentials that do not hold count as missing.
    Required,
    /// Of the wrong type or malformed.
    Invalid,
}
