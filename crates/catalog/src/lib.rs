//! What can be connected, and what it needs.
//!
//! The catalogue of source and destination types is embedded: [`Catalog::global`] hands it out, parsed once, with the source
//! types that the operator adds ([`Catalog::install`]). A
//! [`ConnectionType`] knows its report card, its setup steps, and how to judge the properties a caller sends. Nothing
//! here does I/O, and random values come in as parameters.
//!
//! - Which types there are: [`Catalog`], [`ConnectionType`], [`Details`].
//! - What a type asks for: [`Step`], [`Property`].
//! - How far a connection has come: [`setup`], [`ReportCard`], and as ready text [`CardText`].
//! - All of it for readers, with samples: [`reference`].
//! - What a caller sent: [`ConnectionType::validate_create`], [`ConnectionType::validate_update`].

mod card_text;
mod catalog;
mod connection_type;
mod fill;
mod oauth;
mod of_operator;
mod overlay;
mod properties;
mod property;
pub mod reference;
mod report_card;
pub mod setup;
mod validate;

pub use card_text::CardText;
pub use catalog::{Catalog, InstallTypesError, LoadCatalogError};
pub use connection_type::{
    Category, ConnectionKind, ConnectionType, Details, PipelineState, PricingTier, Status, Step,
};
pub use oauth::{OauthClientError, OauthClients};
pub use of_operator::BadTypeError;
pub use properties::{Credentials, Properties, PropertyChange, StoredProperties};
pub use property::{Property, PropertyType};
pub use report_card::{DetailsCard, PropertyCard, ReportCard, Runs, StepCard, Upgrade};
pub use setup::{SetupEvent, SetupFacts, SetupState, StepType};
pub use validate::{BadProperties, SCHEDULE_PROPERTIES};
