//! The client of a store: what the environment says of it, how long a request may take, and for how long one that
//! fails for the store's sake is tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreScheme, RetryConfig, parse_url};
use url::Url;

use super::create_by_copy::CreateByCopy;
use super::measured::{Measured, StoreMeter};
use super::resume::Resuming;

/// How a remote store is talked to. Files and memory know no such thing.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Settings by their names in the environment, which they override: `aws_endpoint`, …
    pub settings: HashMap<String, String>,
    /// One request with its whole answer. It bounds how slow a link may be, too: a request carries up to 8 MiB.
    pub request_timeout: Duration,
    pub connect_timeout: Duration,
    /// Requests that meet a store that is down, slow or throttling are tried again for so long. It must be shorter
    /// than credentials live, because a request keeps those it began with.
    pub retry_timeout: Duration,
    /// Where requests are counted.
    pub meter: Arc<StoreMeter>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            settings: HashMap::new(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            retry_timeout: Duration::from_secs(60),
            meter: Arc::default(),
        }
    }
}

impl StoreOptions {
    /// The same store, for somebody who waits at a prompt to hear whether it is there at all.
    pub(super) fn impatient(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            request_timeout: self.request_timeout.min(Duration::from_secs(10)),
            connect_timeout: self.connect_timeout.min(Duration::from_secs(3)),
            retry_timeout: self.retry_timeout.min(Duration::from_secs(5)),
            meter: Arc::clone(&self.meter),
        }
    }

    /// Time alone ends the tries: pauses are short, so that a store that is back is soon noticed.
    fn retries(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(3),
                base: 2.0,
            },
            max_retries: usize::MAX,
            retry_timeout: self.retry_timeout,
        }
    }

    /// Whether the store refuses to overwrite when it copies, and not when it puts.
    fn creates_by_copy(&self, url: &Url) -> bool {
        let settings = self.settings_for(url);
        let value = |names: [&str; 2]| {
            settings
                .iter()
                .rev()
                .find(|(key, _)| names.contains(&key.as_str()))
                .map(|(_, value)| value.as_str())
        };
        value(["aws_conditional_put", "conditional_put"]) == Some("disabled")
            && value(["aws_copy_if_not_exists", "copy_if_not_exists"]).is_some()
    }

    /// Later entries win: our own limits, the environment, what was given. `{bucket}` in a value is the URL's bucket:
    /// endpoints that name it in the host serve several buckets so.
    fn settings_for(&self, url: &Url) -> Vec<(String, String)> {
        let milliseconds = |limit: Duration| format!("{}ms", limit.as_millis());
        let mut settings = vec![
            ("timeout".to_owned(), milliseconds(self.request_timeout)),
            ("connect_timeout".to_owned(), milliseconds(self.connect_timeout)),
        ];
        settings.extend(environment(url.scheme()));
        settings.extend(self.settings.iter().map(|(key, value)| (key.to_lowercase(), value.clone())));
        let bucket = url.host_str().unwrap_or_default();
        for (_, value) in settings.iter_mut().filter(|(key, _)| key.contains("endpoint")) {
            *value = value.replace("{bucket}", bucket);
        }
        settings
    }
}

/// What object_store's own `from_env` builders would read, for the scheme at hand.
fn environment(scheme: &str) -> Vec<(String, String)> {
    let prefixes: &[&str] = match scheme {
        "s3" | "s3a" => &["AWS_"],
        "gs" => &["GOOGLE_"],
        "az" | "azure" | "abfs" | "abfss" => &["AZURE_"],
        _ => &[],
    };
    std::env::vars()
        .filter(|(key, _)| prefixes.iter().any(|prefix| key.starts_with(prefix)))
        .map(|(key, value)| (key.to_lowercase(), value))
        .collect()
}

/// A builder of object_store with all settings that it knows; the others are other programs'.
macro_rules! build {
    ($builder:ty, $url:expr, $options:expr) => {{
        let builder = <$builder>::new().with_url($url.as_str()).with_retry($options.retries());
        let builder =
            $options.settings_for($url).into_iter().fold(builder, |builder, (key, value)| {
                match key.parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                }
            });
        Arc::new(builder.build()?)
    }};
}

/// The store of a URL, and the URL's path in it.
pub(super) fn open(url: &Url, options: &StoreOptions) -> object_store::Result<(Arc<dyn ObjectStore>, Path)> {
    let (scheme, path) = ObjectStoreScheme::parse(url)?;
    let store: Arc<dyn ObjectStore> = match scheme {
        ObjectStoreScheme::AmazonS3 => build!(AmazonS3Builder, url, options),
        ObjectStoreScheme::GoogleCloudStorage => build!(GoogleCloudStorageBuilder, url, options),
        ObjectStoreScheme::MicrosoftAzure => build!(MicrosoftAzureBuilder, url, options),
        _ => {
            let store = Arc::from(parse_url(url)?.0);
            return Ok((Arc::new(Measured::new(store, Arc::clone(&options.meter))), path));
        }
    };
    let store: Arc<dyn ObjectStore> = Arc::new(Measured::new(store, Arc::clone(&options.meter)));
    let store: Arc<dyn ObjectStore> = Arc::new(Resuming::new(store, options.retry_timeout));
    if options.creates_by_copy(url) {
        return Ok((Arc::new(CreateByCopy::new(store, &path)), path));
    }
    Ok((store, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_stands_above_the_limits() {
        let options = StoreOptions {
            settings: [
                ("AWS_TIMEOUT".to_owned(), "7s".to_owned()),
                ("AWS_ENDPOINT".to_owned(), "https://{bucket}.cos.example".to_owned()),
            ]
            .into(),
            ..StoreOptions::default()
        };
        let settings = options.settings_for(&Url::parse("s3://one/x").unwrap());
        let place = |key: &str| settings.iter().rposition(|(name, _)| name == key);
        assert!(place("timeout") < place("aws_timeout"), "{settings:?}");
        assert!(settings.contains(&("aws_endpoint".to_owned(), "https://one.cos.example".to_owned())));
    }

    #[test]
    fn every_kind_of_store_takes_the_limits() {
        let options = StoreOptions {
            settings: [
                ("aws_endpoint".to_owned(), "http://127.0.0.1:1".to_owned()),
                ("aws_allow_http".to_owned(), "true".to_owned()),
                ("azure_storage_account_name".to_owned(), "account".to_owned()),
                ("someone_elses".to_owned(), "setting".to_owned()),
            ]
            .into(),
            ..StoreOptions::default()
        };
        for (url, expected) in [
            ("s3://bucket/a%20folder/", "a folder"),
            ("gs://bucket/%E8%AE%A2%E5%8D%95", "订单"),
            ("az://container/x/y", "x/y"),
            ("memory:///m", "m"),
        ] {
            let (_, path) = open(&Url::parse(url).unwrap(), &options).unwrap();
            assert_eq!(path.as_ref(), expected, "{url}");
        }
    }
}
