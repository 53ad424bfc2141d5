//! What a failed request to a store means to the person who has to act on it.

use std::error::Error as StdError;
use std::iter::successors;

use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

use crate::error::{Error, ErrorKind};

const CREDENTIALS: &str = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the variables of your store) and that they are of this endpoint.";
const WAIT: &str = "It was tried again for as long as VOXHOUSE_STORE_RETRY_TIMEOUT allows. Run the statement again \
                    when the store has recovered; loads go on by themselves at the next run.";

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        explain(&error).with_source(error)
    }
}

/// Message and hint, without the source.
pub(crate) fn explain(error: &StoreError) -> Error {
    let failed = |message: String| Error::new(ErrorKind::StorageIo, message);
    let text = texts(error);
    if let Some(known) = code_in(&text).and_then(by_code) {
        return known;
    }
    match error {
        StoreError::NotFound { path, .. } => return missing(path),
        StoreError::AlreadyExists { path, .. } => return failed(format!("object \"{path}\" already exists")),
        StoreError::PermissionDenied { path, .. } | StoreError::Unauthenticated { path, .. } => {
            return failed(format!("object store refuses access to \"{path}\""))
                .with_hint("The credentials need to list, read, write and delete objects under the root.");
        }
        _ => {}
    }
    if is_about_credentials(&text) {
        return failed("there are no credentials for the object store".into())
            .with_detail(first_line(&error.to_string()))
            .with_hint("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the variables of your store.");
    }
    if let Some(known) = status_in(&text).and_then(by_status) {
        return known;
    }
    if text.contains("URL scheme is not allowed") {
        return failed("object store's endpoint is not encrypted".into())
            .with_hint("Give an https:// endpoint, or allow plain HTTP with AWS_ALLOW_HTTP=true.");
    }
    match transport(error) {
        Some(kind) => by_transport(kind).with_detail(root_cause(error)),
        None => failed(format!("object store request failed: {}", first_line(&error.to_string()))),
    }
}

/// The same, where only the words of an error have come through from below: readers and the log turn errors of the
/// store into text.
pub(crate) fn explain_text(text: &str) -> Option<Error> {
    if let Some(known) = code_in(text).and_then(by_code) {
        return Some(known);
    }
    if let Some((_, rest)) = text.split_once("Object at location ") {
        return Some(missing(rest.split_once(" not found")?.0));
    }
    if let Some(known) = status_in(text).and_then(by_status) {
        return Some(known);
    }
    let is_of_a_store = ["Generic S3 error", "Generic GCS error", "Generic MicrosoftAzure error"]
        .iter()
        .any(|start| text.contains(start));
    is_of_a_store.then(|| {
        by_transport(match text {
            text if text.contains("timed out") => HttpErrorKind::Timeout,
            text if text.contains("onnect error") || text.contains("onnection refused") => {
                HttpErrorKind::Connect
            }
            _ => HttpErrorKind::Interrupted,
        })
    })
}

fn missing(path: &str) -> Error {
    Error::new(ErrorKind::StorageIo, format!("object \"{path}\" does not exist"))
}

fn by_transport(kind: HttpErrorKind) -> Error {
    let (message, hint) = match kind {
        HttpErrorKind::Connect => (
            "object store cannot be reached",
            "Check the endpoint (AWS_ENDPOINT) and the network, and whether the store is up.",
        ),
        HttpErrorKind::Timeout => (
            "object store did not answer in time",
            "Check the network and the store; VOXHOUSE_STORE_REQUEST_TIMEOUT is how long one request may take.",
        ),
        _ => ("connection to the object store broke", WAIT),
    };
    Error::new(ErrorKind::StorageIo, message).with_hint(hint)
}

/// Whether the answer broke off on its way, which the client does not try again everywhere.
pub(super) fn broke_off(error: &StoreError) -> bool {
    status(error).is_none()
        && transport(error)
            .is_some_and(|kind| !matches!(kind, HttpErrorKind::Connect | HttpErrorKind::Timeout))
}

/// The error codes of S3, which the others have taken over.
fn by_code(code: &str) -> Option<Error> {
    let (message, hint) = match code {
        "NoSuchBucket" => (
            "bucket does not exist",
            "Create the bucket or correct the URL; buckets are never made by themselves.",
        ),
        "InvalidAccessKeyId"
        | "NotSignedUp"
        | "SignatureDoesNotMatch"
        | "InvalidSecurity"
        | "AuthorizationHeaderMalformed" => ("object store refuses the credentials", CREDENTIALS),
        "ExpiredToken" | "TokenRefreshRequired" | "InvalidToken" | "SecurityTokenExpired" => (
            "credentials for the object store have expired",
            "Renew them (AWS_SESSION_TOKEN) and start the process again; loads go on where they were.",
        ),
        "RequestTimeTooSkewed" => {
            ("object store refuses the request: the clocks differ", "Set the clock of this machine.")
        }
        "SlowDown" | "TooManyRequests" | "RequestLimitExceeded" | "ServiceUnavailable" => {
            ("object store asks to slow down", WAIT)
        }
        _ => return None,
    };
    Some(Error::new(ErrorKind::StorageIo, format!("{message} ({code})")).with_hint(hint))
}

fn by_status(status: u16) -> Option<Error> {
    let message = match status {
        429 | 503 => format!("object store asks to slow down (status {status})"),
        500..=599 => format!("object store failed with status {status}"),
        _ => return None,
    };
    Some(Error::new(ErrorKind::StorageIo, message).with_hint(WAIT))
}

/// The status of the answer, where there was one. The type that knows it is not public; its words are.
pub(super) fn status(error: &StoreError) -> Option<u16> {
    status_in(&texts(error))
}

fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    rest.split([' ', ':']).next()?.parse().ok()
}

/// The code in an answer's XML, such as `NoSuchBucket`.
pub(super) fn code(error: &StoreError) -> Option<String> {
    code_in(&texts(error)).map(str::to_owned)
}

fn code_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0)
}

/// What the error and its causes say.
fn texts(error: &StoreError) -> String {
    chain(error).map(|cause| cause.to_string()).collect::<Vec<_>>().join("\n")
}

fn transport(error: &StoreError) -> Option<HttpErrorKind> {
    chain(error).find_map(|cause| Some(cause.downcast_ref::<HttpError>()?.kind()))
}

/// Without keys in the environment the client asks the machine's metadata service, which few machines have.
fn is_about_credentials(text: &str) -> bool {
    ["169.254.169.254", "/latest/api/token", "metadata/identity"].iter().any(|part| text.contains(part))
}

fn root_cause(error: &StoreError) -> String {
    let deepest = chain(error).last().map(|cause| cause.to_string()).unwrap_or_default();
    let mut text = first_line(&deepest);
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    text + "."
}

fn chain<'a>(error: &'a StoreError) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first: &'a (dyn StdError + 'static) = error;
    successors(Some(first), |&cause| cause.source())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: &str, body: &str) -> StoreError {
        let source = format!(
            "Error performing GET http://x/y in 1ms - Server returned non-2xx status code: {status}: {body}"
        );
        StoreError::Generic { store: "S3", source: source.into() }
    }

    #[test]
    fn the_code_of_an_answer_tells_what_to_do() {
        let xml = "<?xml version=\"1.0\"?>\n<Error><Code>ExpiredToken</Code><Message>…</Message></Error>";
        let error = Error::from(answered("403 Forbidden", xml));
        assert_eq!(error.sqlstate(), "58030");
        assert_eq!(error.message(), "credentials for the object store have expired (ExpiredToken)");
        assert!(error.hint().is_some_and(|hint| hint.contains("AWS_SESSION_TOKEN")));
    }

    #[test]
    fn the_status_counts_where_there_is_no_code() {
        let error = Error::from(answered("503 Service Unavailable", ""));
        assert_eq!(error.message(), "object store asks to slow down (status 503)");
        let error = Error::from(answered("500 Internal Server Error", "oops"));
        assert_eq!(error.message(), "object store failed with status 500");
    }

    #[test]
    fn a_connection_that_fails_is_no_answer() {
        let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let source = HttpError::new(HttpErrorKind::Connect, cause);
        let error = Error::from(StoreError::Generic { store: "S3", source: Box::new(source) });
        assert_eq!(error.message(), "object store cannot be reached");
        assert_eq!(error.detail(), Some("Connection refused."));
    }
    #[test]
    fn words_alone_are_understood() {
        let told = |text: &str| explain_text(text).map(|error| error.message().to_owned());
        let listing = "Generic DeltaTable error: Error interacting with object store: Generic S3 error: Error performing \
                       list request: Error performing GET http://h/b?list in 1s - Server returned non-2xx status code: \
                       503 Service Unavailable: ";
        assert_eq!(told(listing).unwrap(), "object store asks to slow down (status 503)");
        assert_eq!(
            told("Failed to fetch metadata: Object at location a/b.parquet not found: 404").unwrap(),
            "object \"a/b.parquet\" does not exist"
        );
        assert_eq!(
            told("Generic S3 error: operation timed out").unwrap(),
            "object store did not answer in time"
        );
        assert_eq!(told("Invalid Parquet file. Corrupt footer"), None);
    }
}
