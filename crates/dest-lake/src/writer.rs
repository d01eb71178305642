//! The writer as the engine sees it: rows into files on a blocking thread, files into objects at a commit.

use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadMode, ShapedBatch, StreamIdentity,
    SubtableReport, TableWriter,
};
use selvedge_types::Clock;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::key_template::{KeyNames, KeyTemplate, segment};
use crate::load::{Content, Load, Outgoing};
use crate::mark::{Commit, Mark, Pending};
use crate::store::{Creation, Store, unless_stopped};

/// A table under load.
pub(crate) struct LakeWriter {
    /// `None` while a call is under way, and after one failed or was abandoned.
    pub(crate) load: Option<Box<Load>>,
    pub(crate) objects: Objects,
    pub(crate) mode: LoadMode,
    /// The position of the last commit before this writer.
    pub(crate) committed: Option<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) table_name: String,
    /// `schema.table`, for errors.
    pub(crate) table: String,
}

/// An object that a commit made.
struct Made {
    content: Content,
    key: String,
}

/// Makes objects of files, with the commit mark around them.
pub(crate) struct Objects {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) template: KeyTemplate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: CancellationToken,
    pub(crate) identity: StreamIdentity,
    pub(crate) fence: i64,
    pub(crate) run_seed: u64,
    pub(crate) schema_name: String,
    pub(crate) table_version: i64,
    /// `None` for a table that cannot have its name: all its records are rejected, and nothing marks them.
    pub(crate) mark_key: Option<String>,
    pub(crate) mark: Mark,
    /// Whether the stream ever left a mark.
    pub(crate) marked: bool,
    /// When the last object was loaded, in milliseconds.
    pub(crate) last_loaded_at: i64,
}

impl LakeWriter {
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Load) -> Result<T, ConnectorError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        let mut load = self.load.take().ok_or_else(|| {
            ConnectorError::internal("a table was written to after its load had failed")
        })?;
        let (load, result) = tokio::task::spawn_blocking(move || {
            let result = work(&mut load);
            (load, result)
        })
        .await
        .map_err(|error| {
            ConnectorError::internal("collecting rows ended unexpectedly")
                .with_detail(error.to_string())
        })?;
        // After a failure the load is given up: the next run finds the last commit.
        let result = result.map_err(|error| error.within(format_args!("table {}", self.table)))?;
        self.load = Some(load);
        Ok(result)
    }

    /// Makes everything written so far durable.
    async fn load_objects(
        &mut self,
        upto: &Checkpoint,
        complete: bool,
    ) -> Result<CommitReport, ConnectorError> {
        let (outgoing, notes) = self.run(Load::seal).await?;
        self.notes.extend(notes);
        let load = self.load.take();
        let stop = self.objects.stop.clone();
        let made = unless_stopped(&stop, self.objects.commit(outgoing, upto, complete))
            .await
            .map_err(|error| error.within(format_args!("table {}", self.table)))?;
        self.load = load;
        let load = self.load.as_mut();
        let books = load.map_or_else(Books::default, |load| std::mem::take(&mut load.books));
        Ok(self.report(books, made))
    }

    fn report(&mut self, books: Books, made: Vec<Made>) -> CommitReport {
        let bucket = self.objects.store.bucket();
        let mut report = CommitReport {
            books,
            objects: bucket.map(|_| Vec::new()),
            subtables: Vec::new(),
            durable: true,
            notes: std::mem::take(&mut self.notes),
        };
        for Made { content, key } in made {
            let objects = bucket.map(|bucket| vec![format!("{bucket}/{key}")]);
            match content {
                Content::Records => report.objects = objects,
                Content::Items { path, row_count } => report.subtables.push(SubtableReport {
                    table_name: format!("{}__{}", self.table_name, path.join("__")),
                    path,
                    row_count,
                    objects,
                }),
                Content::Rejections => {}
            }
        }
        report
    }
}

#[async_trait]
impl TableWriter for LakeWriter {
    fn table_name(&self) -> &str {
        &self.table_name
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        self.run(move |load| load.write(&batch)).await
    }

    /// A replacement goes on collecting: its objects appear together with its end, so that there is never a part of a version.
    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        match self.mode {
            LoadMode::Merge => self.load_objects(&upto, false).await,
            LoadMode::Replace => Ok(CommitReport {
                notes: std::mem::take(&mut self.notes),
                ..CommitReport::default()
            }),
        }
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let complete = self.mode == LoadMode::Replace;
        self.load_objects(&upto, complete).await
    }
}

impl Drop for LakeWriter {
    /// Closing large files takes a while: work for a blocking thread.
    fn drop(&mut self) {
        if let Some(load) = self.load.take()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(load)));
        }
    }
}

impl Objects {
    /// Makes the objects in their order, after which the last one decides that all of it counts.
    async fn commit(
        &mut self,
        outgoing: Vec<Outgoing>,
        upto: &Checkpoint,
        complete: bool,
    ) -> Result<Vec<Made>, ConnectorError> {
        let mut made = Vec::with_capacity(outgoing.len());
        if outgoing.is_empty() && !self.marked {
            // Without rows, a mark is worth its requests only where there is one.
            return Ok(made);
        }
        if let Some(key) = &self.mark_key
            && let Some(found) = Mark::read(self.store.as_ref(), key).await?
        {
            found.check_fence(&self.identity, self.fence)?;
        }
        let commit = Commit {
            checkpoint: upto.number,
            position: upto.position.clone(),
            at: self.clock.now().to_millis_string(),
        };
        let table_version = match complete {
            true => self.table_version.max(self.mark.table_version),
            false => self.mark.table_version,
        };
        let mut loaded_at = self.free_instant(&outgoing).await?;
        let token = |index: usize| format!("{:016x}-{}-{index}", self.run_seed, upto.number);
        let tokens: Vec<String> = (0..outgoing.len()).map(token).collect();
        let mut last = None;
        if let (Some(file), Some(token)) = (outgoing.last(), tokens.last()) {
            let key = self.key(&file.table, file.extension, loaded_at);
            last = Some(key.clone());
            self.announce(&commit, table_version, key, token).await?;
        }
        for (index, (file, token)) in outgoing.into_iter().zip(&tokens).enumerate() {
            let names = (file.table, file.extension);
            let mut sealed = file.sealed;
            loop {
                let key = self.key(&names.0, names.1, loaded_at);
                if index + 1 == tokens.len() && last.as_ref() != Some(&key) {
                    last = Some(key.clone());
                    self.announce(&commit, table_version, key.clone(), token)
                        .await?;
                }
                match self.store.create(&key, sealed, token).await? {
                    Creation::Created => {
                        let content = file.content;
                        made.push(Made { content, key });
                        break;
                    }
                    Creation::Taken(again) => sealed = again,
                }
                loaded_at += 1;
            }
            self.last_loaded_at = self.last_loaded_at.max(loaded_at);
        }
        self.mark.pending = None;
        self.mark.table_version = table_version;
        self.mark.committed = Some(commit);
        self.write_mark().await?;
        Ok(made)
    }

    /// Names the object whose appearance decides.
    async fn announce(
        &mut self,
        commit: &Commit,
        table_version: i64,
        object: String,
        token: &str,
    ) -> Result<(), ConnectorError> {
        self.mark.pending = Some(Pending {
            commit: commit.clone(),
            table_version,
            object,
            token: token.to_owned(),
        });
        self.write_mark().await
    }

    async fn write_mark(&mut self) -> Result<(), ConnectorError> {
        if let Some(key) = &self.mark_key {
            self.mark.write(self.store.as_ref(), key).await?;
            self.marked = true;
        }
        Ok(())
    }

    /// The present in milliseconds, or the first instant after it whose keys are free.
    async fn free_instant(&self, outgoing: &[Outgoing]) -> Result<i64, ConnectorError> {
        let mut loaded_at = self.clock.now().as_millis().max(self.last_loaded_at + 1);
        'instants: loop {
            for file in outgoing {
                let key = self.key(&file.table, file.extension, loaded_at);
                if self.store.exists(&key).await? {
                    loaded_at += 1;
                    continue 'instants;
                }
            }
            return Ok(loaded_at);
        }
    }

    fn key(&self, table: &str, extension: &str, loaded_at: i64) -> String {
        let names = KeyNames {
            integration: &segment(&self.schema_name),
            table,
            table_version: self.table_version,
        };
        self.template.key(names, loaded_at, extension)
    }
}

#[cfg(test)]
mod tests;
