//! The destinations themselves.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::{
    CheckContext, CheckReport, ConnectionConfig, ConnectorError, Destination, LoadContext,
    LoadMode, Nesting, TableTarget, TableWriter, TypeFidelity,
};
use selvedge_net::Dialer;
use selvedge_shape::{Dialect, Rejection, names};

use crate::csv::CsvOptions;
use crate::file::Format;
use crate::key_template::{self, KeyNames, KeyTemplate, segment};
use crate::load::{Load, Route};
use crate::local::{LocalStore, SPOOL_FOLDER};
use crate::mark::{self, Mark};
use crate::s3::Bucket;
use crate::spool::{Spool, failed};
use crate::store::{Store, unless_stopped};
use crate::writer::{LakeWriter, Objects};

/// Longest key of an object, in bytes.
const MAX_KEY_BYTES: usize = 1_024;

/// Longest name of a file, in bytes: less than file systems have, because a file is written under a longer one first.
const MAX_FILE_NAME_BYTES: usize = 240;

/// An instant with as many digits as those of the next centuries.
const ANY_INSTANT: i64 = 1_700_000_000_000;

static S3: Dialect = untyped("Amazon S3");
static S3_PARQUET: Dialect = typed("Amazon S3");
static STORAGE_GRID: Dialect = untyped("NetApp StorageGRID");
static STORAGE_GRID_PARQUET: Dialect = typed("NetApp StorageGRID");
static LOCAL_FILES: Dialect = untyped("local files");
static LOCAL_FILES_PARQUET: Dialect = typed("local files");

/// Names as they come; no value is ever split off, so no suffix is reserved.
const fn untyped(display_name: &'static str) -> Dialect {
    Dialect {
        split_suffixes: &[],
        ..typed(display_name)
    }
}

/// Names as they come; a column of a Parquet file has one type, and others go beside it.
const fn typed(display_name: &'static str) -> Dialect {
    Dialect {
        display_name,
        max_table_name: None,
        max_column_name: None,
        max_split_name: None,
        max_columns: usize::MAX,
        rename_original_column_in_split: false,
        column_name: str::to_owned,
        ..Dialect::POSTGRES
    }
}

/// Objects in a directory or a bucket.
#[derive(Clone, Debug)]
pub struct LakeDestination {
    place: Place,
    format: Format,
    template: KeyTemplate,
    dialect: &'static Dialect,
    spool: PathBuf,
}

#[derive(Clone, Debug)]
enum Place {
    Directory(PathBuf),
    Bucket(Bucket),
}

impl LakeDestination {
    /// Files below `directory`, which is chosen by the server, never by the account; it is made with the first file.
    ///
    /// Properties: `format` (`parquet`, the default, `csv` or `jsonl`), `csv_delimiter`, `csv_force_quote`, and `directory`, a
    /// path below that of the server.
    pub fn local_files(
        config: &ConnectionConfig,
        directory: PathBuf,
    ) -> Result<Self, ConnectorError> {
        let format = match config.text("format").as_deref() {
            None | Some("" | "parquet") => Format::Parquet,
            Some("csv") => Format::Csv(csv_options(config)?),
            Some("jsonl") => Format::JsonLines,
            Some(_) => {
                return Err(ConnectorError::configuration(
                    "the property format must be parquet, csv or jsonl",
                ));
            }
        };
        let directory = match config.text("directory") {
            None => directory,
            Some(below) => {
                let plain = |name: &str| {
                    !name.is_empty() && !name.starts_with('.') && segment(name) == name
                };
                if !below.split('/').all(plain) {
                    return Err(ConnectorError::configuration(
                        "the property directory must be a path below the account's own directory, of names that do not \
                         begin with a point",
                    ));
                }
                directory.join(below)
            }
        };
        Ok(Self {
            template: KeyTemplate::parse(key_template::DEFAULT, format.extension())?,
            dialect: match format {
                Format::Parquet => &LOCAL_FILES_PARQUET,
                _ => &LOCAL_FILES,
            },
            format,
            // On the same file system: complete files are moved to their place.
            spool: directory.join(SPOOL_FOLDER),
            place: Place::Directory(directory),
        })
    }

    /// Objects in a bucket of Amazon S3, or of a server that speaks its protocol. Rows are collected in files in `spool`.
    ///
    /// Properties: those of the catalogue's type `s3`, and `access_key_id`, `secret_access_key`, `region`, `endpoint`,
    /// `columnar_file_format`.
    pub fn s3(config: &ConnectionConfig, spool: PathBuf) -> Result<Self, ConnectorError> {
        Self::bucket(config, spool, &S3, &S3_PARQUET)
    }

    /// The same for NetApp StorageGRID, whose `endpoint` and `port` are not optional.
    pub fn storage_grid(config: &ConnectionConfig, spool: PathBuf) -> Result<Self, ConnectorError> {
        config.required("endpoint")?;
        Self::bucket(config, spool, &STORAGE_GRID, &STORAGE_GRID_PARQUET)
    }

    fn bucket(
        config: &ConnectionConfig,
        spool: PathBuf,
        untyped: &'static Dialect,
        typed: &'static Dialect,
    ) -> Result<Self, ConnectorError> {
        let columnar = config.text("columnar_file_format");
        let format = match (
            columnar.as_deref(),
            config.required("output_file_format")?.as_str(),
        ) {
            (Some("parquet"), _) => Format::Parquet,
            (Some(_), _) => {
                return Err(ConnectorError::configuration(
                    "the property columnar_file_format must be parquet",
                ));
            }
            (None, "csv") => Format::Csv(csv_options(config)?),
            (None, "jsonl") => Format::JsonLines,
            (None, _) => {
                return Err(ConnectorError::configuration(
                    "the property output_file_format must be csv or jsonl",
                ));
            }
        };
        let template = config.text("s3_key_format_string");
        Ok(Self {
            template: KeyTemplate::parse(
                template.as_deref().unwrap_or(key_template::DEFAULT),
                format.extension(),
            )?,
            dialect: match format {
                Format::Parquet => typed,
                _ => untyped,
            },
            format,
            spool,
            place: Place::Bucket(Bucket::new(config)?),
        })
    }

    /// Opens a table in a store that is given.
    pub(crate) async fn open_in(
        &self,
        store: Arc<dyn Store>,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<LakeWriter, ConnectorError> {
        let refusal = self.refusal(&target);
        let mark_key = refusal.is_none().then(|| self.mark_key(&target));
        let found = match &mark_key {
            Some(key) => unless_stopped(&ctx.stop, Mark::read(store.as_ref(), key)).await?,
            None => None,
        };
        let marked = found.is_some();
        let mark = match found {
            Some(found) => {
                found.check_fence(&target.identity, ctx.fence)?;
                let settled = found.settled(store.as_ref(), &target.identity, ctx.fence);
                unless_stopped(&ctx.stop, settled).await?
            }
            None => Mark::new(&target.identity, ctx.fence),
        };
        let mut notes = Vec::new();
        let route = match refusal {
            Some(reason) => Route::Refused(reason),
            None if target.mode == LoadMode::Replace
                && mark.table_version > target.table_version =>
            {
                notes.push(format!(
                    "table {} already has version {}; version {} is left out",
                    target.table_name, mark.table_version, target.table_version
                ));
                Route::Outdated
            }
            None => Route::Open,
        };
        let directory = self.spool.clone();
        let opened = target.clone();
        let spool = tokio::task::spawn_blocking(move || Spool::open(&directory, &opened))
            .await
            .map_err(failed)??;
        let load = Load::new(
            self.dialect,
            self.format,
            spool,
            Arc::clone(&ctx.clock),
            ctx.run_seed,
            route,
            &target,
        );
        Ok(LakeWriter {
            load: Some(Box::new(load)),
            committed: mark
                .committed
                .as_ref()
                .and_then(|commit| commit.position.clone()),
            objects: Objects {
                store,
                template: self.template.clone(),
                clock: ctx.clock,
                stop: ctx.stop,
                fence: ctx.fence,
                run_seed: ctx.run_seed,
                schema_name: target.schema_name.clone(),
                table_version: target.table_version,
                mark_key,
                mark,
                marked,
                last_loaded_at: 0,
                identity: target.identity,
            },
            mode: target.mode,
            notes,
            table: format!("{}.{}", target.schema_name, target.table_name),
            table_name: target.table_name,
        })
    }

    fn store(&self, dialer: &Dialer) -> Result<Arc<dyn Store>, ConnectorError> {
        Ok(match &self.place {
            Place::Directory(directory) => Arc::new(LocalStore::new(directory.clone())),
            Place::Bucket(bucket) => Arc::new(bucket.connect(dialer)?),
        })
    }

    /// Why the table cannot be written under its name.
    fn refusal(&self, target: &TableTarget) -> Option<Rejection> {
        if let Err(reason) = names::table(self.dialect, &target.schema_name, &target.table_name) {
            return Some(reason);
        }
        let key = self.template.key(
            KeyNames {
                integration: &segment(&target.schema_name),
                table: &segment(&target.table_name),
                table_version: target.table_version.max(0),
            },
            ANY_INSTANT,
            self.format.extension(),
        );
        let mark = self.mark_key(target);
        let too_long = match &self.place {
            Place::Bucket(_) => [&key, &mark].iter().any(|key| key.len() > MAX_KEY_BYTES),
            Place::Directory(_) => [&key, &mark]
                .iter()
                .flat_map(|key| key.split('/'))
                .any(|name| name.len() > MAX_FILE_NAME_BYTES),
        };
        too_long.then(|| Rejection::TableNameTooLong {
            table: target.table_name.clone(),
            destination: self.dialect.display_name,
        })
    }

    fn mark_key(&self, target: &TableTarget) -> String {
        mark::key(
            &self.template,
            &target.schema_name,
            &target.identity,
            &target.table_name,
        )
    }
}

#[async_trait]
impl Destination for LakeDestination {
    fn display_name(&self) -> &'static str {
        self.dialect.display_name
    }

    fn fidelity(&self) -> TypeFidelity {
        TypeFidelity::Stitch
    }

    fn nesting(&self) -> Nesting {
        match self.format {
            Format::Csv(_) => Nesting::Subtables,
            Format::JsonLines | Format::Parquet => Nesting::Json,
        }
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        let store = self.store(&ctx.dialer)?;
        unless_stopped(&ctx.stop, async { Ok(store.check().await) }).await
    }

    async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        let store = self.store(&ctx.dialer)?;
        let writer = self.open_in(store, ctx, target).await?;
        Ok(Box::new(writer))
    }
}

fn csv_options(config: &ConnectionConfig) -> Result<CsvOptions, ConnectorError> {
    let delimiter = match config.text("csv_delimiter").as_deref() {
        None | Some("" | ",") => b',',
        Some("|") => b'|',
        Some("\t" | "\\t" | "tab") => b'\t',
        Some(_) => {
            return Err(ConnectorError::configuration(
                "the property csv_delimiter must be a comma, a pipe (|) or a tab (\\t)",
            ));
        }
    };
    Ok(CsvOptions {
        delimiter,
        force_quote: config.flag("csv_force_quote")?,
    })
}
