//! Addresses under which a job's log can be read without a token, for a while.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use selvedge_types::job::JobName;
use selvedge_types::{AccountScope, Timestamp};
use sha2::Sha256;

use crate::logs::LogReader;
use crate::{Control, ControlError};

/// How long an address works.
const VALID_SECONDS: i64 = 15 * 60;

/// What proves that an address was given out by this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogAddress {
    pub job: JobName,
    /// Seconds since the Unix epoch.
    pub expires_at: i64,
    /// Over both of the above, as URL-safe base64.
    pub signature: String,
}

/// An address for the log of a synchronisation job of the account. `None` when there is no such job or its log is past
/// its retention; a job that still runs has one from the start.
pub async fn log_address(
    control: &Control,
    scope: AccountScope,
    job: JobName,
) -> Result<Option<LogAddress>, ControlError> {
    if job.account != scope.account() || !super::may_be_read(control, scope, &job).await? {
        return Ok(None);
    }
    let expires_at = control.now().as_micros() / 1_000_000 + VALID_SECONDS;
    let signature =
        BASE64_URL_SAFE_NO_PAD.encode(mac(control, &job, expires_at).finalize().into_bytes());
    Ok(Some(LogAddress {
        job,
        expires_at,
        signature,
    }))
}

/// The log behind an address, from its beginning. `None` when the address is forged, altered or expired, or the log is gone.
pub async fn read_log(
    control: &Control,
    address: &LogAddress,
) -> Result<Option<LogReader>, ControlError> {
    let now: Timestamp = control.now();
    if address.expires_at.saturating_mul(1_000_000) <= now.as_micros() {
        return Ok(None);
    }
    let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(&address.signature) else {
        return Ok(None);
    };
    // Compares in constant time.
    if mac(control, &address.job, address.expires_at)
        .verify_slice(&signature)
        .is_err()
    {
        return Ok(None);
    }
    // The signature stands for the account that asked for the address.
    let scope = AccountScope::of(address.job.account);
    if let Some(log) = control.logs().open(scope, &address.job).await? {
        return Ok(Some(log));
    }
    Ok(super::may_be_read(control, scope, &address.job)
        .await?
        .then(|| Box::pin(tokio::io::empty()) as LogReader))
}

fn mac(control: &Control, job: &JobName, expires_at: i64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(control.settings().log_signing_key.as_ref())
        .expect("an HMAC key may have any length");
    mac.update(format!("{expires_at} {job}").as_bytes());
    mac
}
