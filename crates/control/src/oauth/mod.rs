//! Partner authentication: a partner gets an access token to an account after somebody has let it in (OAuth 2.0,
//! authorization code grant).

mod authorization;
mod callback;
mod exchange;
mod grant;
mod parameters;

pub use authorization::{Authorization, AuthorizationProblem, find_authorization};
pub use exchange::{ExchangeProblem, ExchangedToken, TokenRequest, delete_expired, exchange};
pub use grant::{Granted, grant};
pub use parameters::Parameters;
