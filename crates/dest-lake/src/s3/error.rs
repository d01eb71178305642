//! What a bucket's refusals mean, as sentences.

use std::error::Error as StdError;

use object_store::Error;
use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_net::DialError;

/// Longest text of the other side that is passed on.
const MAX_DETAIL: usize = 500;

/// The error of a request about the bucket.
pub(crate) fn explain(bucket: &str, error: &Error) -> ConnectorError {
    if let Some(dial) = cause::<DialError>(error) {
        let kind = match dial {
            DialError::Forbidden { .. } => ErrorKind::Configuration,
            _ => ErrorKind::Unreachable,
        };
        return match dial {
            // The documented text speaks of databases.
            DialError::Refused { .. } => ConnectorError::new(
                kind,
                "the connection was refused: check the host name and port of the endpoint",
            ),
            dial => ConnectorError::new(kind, dial.to_string()),
        };
    }
    let text = error.to_string();
    let code = code_of(error, &text);
    let said = element(&text, "Message").unwrap_or(&text);
    let message = match code.as_deref() {
        Some("NoSuchBucket") => {
            format!("there is no bucket {bucket}: check the property s3_bucket")
        }
        Some("InvalidBucketName") => {
            format!("{bucket} cannot be the name of a bucket: check the property s3_bucket")
        }
        Some(
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "IllegalLocationConstraintException"
            | "301",
        ) => match element(&text, "Region") {
            Some(region) => format!(
                "the bucket {bucket} is in the region {region}: set the property region to it"
            ),
            None => format!(
                "the bucket {bucket} is in another region or behind another endpoint: check the properties region and endpoint"
            ),
        },
        Some("InvalidAccessKeyId" | "InvalidToken" | "ExpiredToken" | "401") => {
            "the access key is not known: check the property access_key_id".to_owned()
        }
        Some("SignatureDoesNotMatch") => {
            "the access key was refused: check the property secret_access_key".to_owned()
        }
        Some("AccessDenied" | "AllAccessDisabled" | "403") => format!(
            "access to the bucket {bucket} was denied: s3:ListBucket is needed on the bucket, s3:GetObject and \
             s3:PutObject on its objects"
        ),
        Some("SlowDown" | "503") => "the bucket asks us to slow down".to_owned(),
        Some("RequestTimeTooSkewed") => {
            "this server's clock differs too much from that of the bucket".to_owned()
        }
        _ => format!("a request to the bucket {bucket} failed"),
    };
    let kind = match code.as_deref() {
        Some("AccessDenied" | "AllAccessDisabled" | "403") => ErrorKind::Permission,
        Some(
            "InvalidAccessKeyId"
            | "InvalidToken"
            | "ExpiredToken"
            | "401"
            | "SignatureDoesNotMatch",
        ) => ErrorKind::Authentication,
        Some("SlowDown" | "503") => ErrorKind::RateLimit,
        Some(
            "NoSuchBucket"
            | "InvalidBucketName"
            | "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "IllegalLocationConstraintException"
            | "301",
        ) => ErrorKind::Configuration,
        _ => ErrorKind::Unreachable,
    };
    let explained = ConnectorError::new(kind, message)
        .with_detail(said.chars().take(MAX_DETAIL).collect::<String>());
    match code {
        Some(code) => explained.with_code(code),
        None => explained,
    }
}

/// Whether the server knows no conditional requests.
pub(crate) fn is_not_implemented(error: &Error) -> bool {
    matches!(error, Error::NotImplemented { .. })
        || code_of(error, &error.to_string())
            .is_some_and(|code| matches!(code.as_str(), "NotImplemented" | "501"))
}

/// The code in the answer's XML; else the status that stands for it.
fn code_of(error: &Error, text: &str) -> Option<String> {
    if let Some(code) = element(text, "Code") {
        return Some(code.to_owned());
    }
    // The client's own texts: answers without a body, such as those to HEAD.
    if text.contains("redirect without LOCATION") {
        return Some("301".to_owned());
    }
    if let Some((_, behind)) = text.split_once("status code: ") {
        return behind.get(..3).map(str::to_owned);
    }
    match error {
        Error::PermissionDenied { .. } => Some("403".to_owned()),
        Error::Unauthenticated { .. } => Some("401".to_owned()),
        _ => None,
    }
}

/// The text of the first element of that name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, behind) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = behind.split_once(&format!("</{name}>"))?;
    Some(content)
}

fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: &str, body: &str) -> ConnectorError {
        let text = format!("Server returned non-2xx status code: {status}: {body}");
        let error = Error::Generic {
            store: "S3",
            source: text.into(),
        };
        explain("lake", &error)
    }

    #[test]
    fn refusals_become_sentences() {
        let xml = |code: &str, more: &str| {
            format!("<Error><Code>{code}</Code><Message>Said so.</Message>{more}</Error>")
        };
        let missing = refused("404 Not Found", &xml("NoSuchBucket", ""));
        assert_eq!(missing.kind, ErrorKind::Configuration);
        assert_eq!(
            missing.to_string(),
            "there is no bucket lake: check the property s3_bucket (Said so.)"
        );
        let region = xml("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>");
        assert_eq!(
            refused("400 Bad Request", &region).message,
            "the bucket lake is in the region eu-west-1: set the property region to it"
        );
        let denied = refused("403 Forbidden", "");
        assert_eq!(denied.kind, ErrorKind::Permission);
        let signature = refused("403 Forbidden", &xml("SignatureDoesNotMatch", ""));
        assert_eq!(signature.kind, ErrorKind::Authentication);
        let busy = refused("503 Slow Down", &xml("SlowDown", ""));
        assert!(busy.temporary());
    }
}
