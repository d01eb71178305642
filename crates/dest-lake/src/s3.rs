//! A bucket as a place for objects.
//!
//! An object of up to [`PART_BYTES`] goes up in one request that succeeds only if the key is free; a larger one in parts,
//! of which nothing is visible before the last step. Servers that do not know such conditions, and larger objects
//! everywhere, are asked first whether the key is free.

mod error;
mod http;

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, RetryConfig,
};
use selvedge_connector::{CheckReport, ConnectionConfig, ConnectorError, ErrorKind};
use selvedge_net::Dialer;
use selvedge_net::tls::{Verification, client_config};

use self::error::{explain, is_not_implemented};
use crate::file::media_type;
use crate::spool::{Sealed, failed};
use crate::store::{Creation, Store};

/// Size of a part of a larger object, and of the largest object that is none; what an upload holds in memory.
const PART_BYTES: u64 = 8 << 20;

/// Most parts of an object, a little below what the protocol allows.
const MAX_PARTS: u64 = 9_000;

/// Largest object that is read back.
const MAX_READ_BYTES: u64 = 1 << 20;

const DEFAULT_REGION: &str = "us-east-1";

/// Name of the metadata by which an upload recognises its own object.
const TOKEN_NAME: &str = "selvedge-load";

/// The documented text for a bucket without its challenge file.
const NO_CHALLENGE_FILE: &str =
    "An error occurred (404) when calling the HeadObject operation: Not Found";

/// How to get to a bucket.
#[derive(Clone)]
pub(crate) struct Bucket {
    name: String,
    region: String,
    /// Scheme, host and port; that of the region when absent.
    endpoint: Option<String>,
    access_key_id: String,
    secret_access_key: String,
    /// Key of the file that proves the user's right to the bucket.
    challenge_file: Option<String>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bucket")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    /// Properties `s3_bucket`, `access_key_id` and `secret_access_key`; `region`, `endpoint` and `port` where the bucket is not
    /// at its region's endpoint; `sentinel_key`.
    pub(crate) fn new(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        let port = match config.text("port") {
            Some(_) => Some(config.port("port")?),
            None => None,
        };
        let endpoint = config.text("endpoint").map(|endpoint| {
            let mut url = match endpoint.contains("://") {
                true => endpoint,
                false => format!("https://{endpoint}"),
            };
            url.truncate(url.trim_end_matches('/').len());
            match port {
                Some(port) => format!("{url}:{port}"),
                None => url,
            }
        });
        let plain = endpoint.as_deref().is_none_or(|endpoint| {
            endpoint.split_once("://").is_some_and(|(scheme, host)| {
                matches!(scheme, "http" | "https")
                    && !host.is_empty()
                    && !host.contains(['/', '?', '#', '@'])
            })
        });
        if !plain {
            return Err(ConnectorError::configuration(
                "the property endpoint must be a host, or http:// or https:// with a host and perhaps a port",
            ));
        }
        Ok(Self {
            name: config.required("s3_bucket")?,
            region: config
                .text("region")
                .unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            endpoint,
            access_key_id: config.required("access_key_id")?,
            secret_access_key: config.required("secret_access_key")?,
            challenge_file: config.text("sentinel_key"),
        })
    }

    /// A client whose connections `dialer` makes. Connects to nothing yet.
    pub(crate) fn connect(&self, dialer: &Dialer) -> Result<S3Store, ConnectorError> {
        let tls = client_config(&Verification::PublicRoots)
            .map_err(|error| ConnectorError::internal(error.to_string()))?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key_id)
            .with_secret_access_key(&self.secret_access_key)
            .with_retry(RetryConfig {
                max_retries: 5,
                retry_timeout: std::time::Duration::from_secs(60),
                ..RetryConfig::default()
            })
            .with_http_connector(self::http::Connector {
                dialer: dialer.clone(),
                tls,
            });
        if let Some(endpoint) = &self.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        let client = builder.build().map_err(|error| {
            ConnectorError::configuration("the settings of the bucket do not fit together")
                .with_detail(error.to_string())
        })?;
        Ok(S3Store {
            client: Arc::new(client),
            bucket: self.clone(),
        })
    }
}

/// Objects in a bucket.
#[derive(Clone, Debug)]
pub(crate) struct S3Store {
    client: Arc<AmazonS3>,
    bucket: Bucket,
}

impl S3Store {
    fn explain(&self, error: &object_store::Error) -> ConnectorError {
        explain(&self.bucket.name, error)
    }

    /// The token of an object, if it has one; `None` when there is no object.
    async fn token(&self, path: &Path) -> Result<Option<Option<String>>, ConnectorError> {
        let head = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.client.get_opts(path, head).await {
            Ok(found) => {
                let token = found.attributes.get(&token_attribute());
                Ok(Some(token.map(|token| token.as_ref().to_owned())))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// In one request that fails if the key is taken.
    async fn put_whole(
        &self,
        path: &Path,
        sealed: &Sealed,
        attributes: Attributes,
        mode: PutMode,
    ) -> Result<(), object_store::Error> {
        let content =
            part(sealed, 0, sealed.length)
                .await
                .map_err(|error| object_store::Error::Generic {
                    store: "S3",
                    source: Box::new(error),
                })?;
        let options = PutOptions {
            mode,
            attributes,
            ..PutOptions::default()
        };
        self.client
            .put_opts(path, PutPayload::from(content), options)
            .await
            .map(|_| ())
    }

    /// Part by part; nothing of it is visible before the last step.
    async fn put_parts(
        &self,
        path: &Path,
        sealed: &Sealed,
        attributes: Attributes,
    ) -> Result<(), ConnectorError> {
        let size = PART_BYTES.max(sealed.length.div_ceil(MAX_PARTS));
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let mut upload = self
            .client
            .put_multipart_opts(path, options)
            .await
            .map_err(|error| self.explain(&error))?;
        let mut offset = 0;
        while offset < sealed.length {
            let length = size.min(sealed.length - offset);
            let content = part(sealed, offset, length).await?;
            if let Err(error) = upload.put_part(PutPayload::from(content)).await {
                // The parts are invisible either way; the first failure is the one to tell.
                drop(upload.abort().await);
                return Err(self.explain(&error));
            }
            offset += length;
        }
        match upload.complete().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Reads nothing but the answer: tells a wrong region, key or bucket apart, which an answer to HEAD does not.
    async fn list(&self) -> Result<(), ConnectorError> {
        let prefix = Path::from("selvedge-check");
        match self.client.list(Some(&prefix)).next().await {
            Some(Err(error)) => Err(self.explain(&error)),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    async fn find_challenge_file(&self, key: &str) -> Result<(), ConnectorError> {
        match self.token(&path(key)?).await? {
            Some(_) => Ok(()),
            None => Err(
                ConnectorError::new(ErrorKind::Configuration, NO_CHALLENGE_FILE).with_code("404"),
            ),
        }
    }

    /// An upload that is begun and given up shows the right to write, and leaves nothing.
    async fn try_upload(&self) -> Result<(), ConnectorError> {
        let path = Path::from("selvedge-check");
        let mut upload = self
            .client
            .put_multipart_opts(&path, PutMultipartOptions::default())
            .await
            .map_err(|error| self.explain(&error))?;
        upload.abort().await.map_err(|error| self.explain(&error))
    }
}

#[async_trait]
impl Store for S3Store {
    fn bucket(&self) -> Option<&str> {
        Some(&self.bucket.name)
    }

    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let list = format!("list the bucket {}", self.bucket.name);
        if let Err(error) = self.list().await {
            report.failed(list, error, None);
            return report;
        }
        report.passed(list);
        if let Some(key) = &self.bucket.challenge_file {
            let find = "find the challenge file";
            if let Err(error) = self.find_challenge_file(key).await {
                let missing = error.message == NO_CHALLENGE_FILE;
                let remedy = "Put the challenge file, an empty object whose key is the property sentinel_key, into the \
                              bucket, and leave it there.";
                report.failed(find, error, missing.then(|| remedy.to_owned()));
                return report;
            }
            report.passed(find);
        }
        let upload = "begin an upload";
        match self.try_upload().await {
            Ok(()) => report.passed(upload),
            Err(error) => report.failed(upload, error, None),
        }
        report
    }

    async fn exists(&self, key: &str) -> Result<bool, ConnectorError> {
        Ok(self.token(&path(key)?).await?.is_some())
    }

    /// A server that keeps no metadata is believed.
    async fn holds(&self, key: &str, token: &str) -> Result<bool, ConnectorError> {
        let found = self.token(&path(key)?).await?;
        Ok(found.is_some_and(|found| found.is_none_or(|found| found == token)))
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ConnectorError> {
        let found = match self
            .client
            .get_opts(&path(key)?, GetOptions::default())
            .await
        {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.explain(&error)),
        };
        if found.meta.size > MAX_READ_BYTES {
            return Err(ConnectorError::new(
                ErrorKind::Data,
                format!("the object {key} is larger than any of its kind"),
            ));
        }
        let content = found.bytes().await.map_err(|error| self.explain(&error))?;
        Ok(Some(content.into()))
    }

    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), ConnectorError> {
        let options = PutOptions {
            attributes: Attributes::from_iter([(Attribute::ContentType, media_type(key))]),
            ..PutOptions::default()
        };
        self.client
            .put_opts(&path(key)?, PutPayload::from(content), options)
            .await
            .map(|_| ())
            .map_err(|error| self.explain(&error))
    }

    async fn create(
        &self,
        key: &str,
        sealed: Sealed,
        token: &str,
    ) -> Result<Creation, ConnectorError> {
        let path = path(key)?;
        let attributes = Attributes::from_iter([
            (Attribute::ContentType, media_type(key).to_owned()),
            (token_attribute(), token.to_owned()),
        ]);
        if sealed.length <= PART_BYTES {
            let put = self.put_whole(&path, &sealed, attributes.clone(), PutMode::Create);
            match put.await {
                Ok(()) => return Ok(Creation::Created),
                // Perhaps our own, if the answer to the first attempt was lost on the way.
                Err(object_store::Error::AlreadyExists { .. }) => {
                    return Ok(match self.holds(key, token).await? {
                        true => Creation::Created,
                        false => Creation::Taken(sealed),
                    });
                }
                Err(error) if is_not_implemented(&error) => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        if self.token(&path).await?.is_some() {
            return Ok(Creation::Taken(sealed));
        }
        match sealed.length <= PART_BYTES {
            true => self
                .put_whole(&path, &sealed, attributes, PutMode::Overwrite)
                .await
                .map_err(|error| self.explain(&error))?,
            false => self.put_parts(&path, &sealed, attributes).await?,
        }
        Ok(Creation::Created)
    }
}

fn token_attribute() -> Attribute {
    Attribute::Metadata(Cow::Borrowed(TOKEN_NAME))
}

fn path(key: &str) -> Result<Path, ConnectorError> {
    Path::parse(key).map_err(|error| {
        ConnectorError::configuration(format!("{key} cannot be the key of an object"))
            .with_detail(error.to_string())
    })
}

/// So many bytes of the file from `offset`.
async fn part(sealed: &Sealed, offset: u64, length: u64) -> Result<Vec<u8>, ConnectorError> {
    let file = sealed.file.reopen().map_err(failed)?;
    tokio::task::spawn_blocking(move || {
        let mut file = file;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut content = Vec::new();
        file.take(length)
            .read_to_end(&mut content)
            .map_err(failed)?;
        match content.len() as u64 == length {
            true => Ok(content),
            false => Err(failed("the file is shorter than it was")),
        }
    })
    .await
    .map_err(failed)?
}
