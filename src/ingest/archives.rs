//! Paths that lead to rotated files of other logs, or to files that are read already.
//!
//! A glob such as `app.log*` reaches a log and its rotated files. Those are parts of the log:
//! they are read with it, and are no sources. What only looks like one is a log of its own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::target::Target;
use super::{IngestError, Stage};
use crate::model::{FileIdentity, Place, SourceId};
use crate::store::sources::{self, Source};
use crate::store::{StoreError, generations};
use crate::tail::facts::Role;
use crate::tail::folders::folder_of;
use crate::tail::names;
use crate::tail::{LogFile, TailError, identity};

/// Which targets are named like rotated files of which logs.
#[derive(Debug)]
pub(super) struct Archives {
    /// The log of each of them.
    logs: HashMap<PathBuf, PathBuf>,
    /// All targets that are none.
    others: HashSet<PathBuf>,
}

impl Archives {
    /// Those among the targets whose log is one of them, or a source.
    pub(super) fn among(targets: &[Target], known: &HashMap<PathBuf, Source>) -> Self {
        let paths: HashSet<PathBuf> = targets.iter().map(|target| target.path.clone()).collect();
        let is_log = |path: &Path| {
            paths.contains(path) || known.get(path).is_some_and(|source| source.generation > 0)
        };
        // Which folders rotate their logs to a folder.
        let mut olddirs: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
        for target in targets {
            let folder = folder_of(&target.path);
            for olddir in &target.config.olddir {
                let folders = olddirs.entry(folder.join(olddir)).or_default();
                if !folders.iter().any(|known| known == folder) {
                    folders.push(folder.to_owned());
                }
            }
        }
        let log_of = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            let folder = folder_of(path);
            let elsewhere = olddirs.get(folder).into_iter().flatten();
            let mut logs = names::logs_of(name);
            // It may be another log with a number in its name.
            logs.retain(|log| {
                names::Rotated::read(log, name).is_some_and(|name| !name.scheme().is_ambiguous())
            });
            let here = logs.iter().map(|log| folder.join(log));
            let there = elsewhere.flat_map(|folder| {
                logs.iter().map(String::as_str).chain([name]).map(|log| folder.join(log))
            });
            here.chain(there).find(|log| is_log(log))
        };
        let logs: HashMap<PathBuf, PathBuf> =
            paths.iter().filter_map(|path| Some((path.clone(), log_of(path)?))).collect();
        // A rotated file of a rotated file is one of the log itself.
        let last = |log: &PathBuf| {
            let mut log = log;
            while let Some(next) = logs.get(log) {
                log = next;
            }
            log.clone()
        };
        let logs: HashMap<PathBuf, PathBuf> =
            logs.iter().map(|(path, log)| (path.clone(), last(log))).collect();
        let others = paths.into_iter().filter(|path| !logs.contains_key(path)).collect();
        Self { logs, others }
    }

    /// The log of which a target seems to be a rotated file.
    pub(super) fn log_of(&self, path: &Path) -> Option<&Path> {
        self.logs.get(path).map(PathBuf::as_path)
    }
}

/// The place of a source, if a file holds it; of one of which nothing was read, none does.
fn holds(source: &Source, log: &mut LogFile) -> io::Result<Option<Place>> {
    let Some(place) = source.place.filter(|place| place.byte_offset > 0) else { return Ok(None) };
    Ok(identity::holds(&mut log.content, &place)?.then_some(place))
}

impl Stage<'_> {
    /// What the config makes of a file beside a log.
    pub(super) fn role(&self, log: &Target, path: &Path) -> Role {
        let is_source = |path| self.known.get(path).is_some_and(|source| source.generation > 0);
        if self.archives.others.contains(path) {
            Role::OtherLog
        } else if is_source(path) {
            Role::FormerLog
        } else if self.archives.log_of(path) == Some(&log.path) {
            Role::Named
        } else {
            Role::Unnamed
        }
    }

    /// The path by which the file of a target is read already, if another one does.
    pub(super) fn other_path_of(
        &self,
        target: &Target,
        source: &Source,
        log: &mut LogFile,
    ) -> Result<Option<PathBuf>, IngestError> {
        if let Some(path) = self.seen.get(&log.identity).filter(|path| **path != target.path) {
            return Ok(Some(path.clone()));
        }
        if source.generation > 0 {
            return Ok(None);
        }
        // One that comes later in this run, and is further.
        let Some(other) = self.known_by(source, log.identity) else { return Ok(None) };
        let path = Path::new(&other.path);
        let is_read = self.archives.others.contains(path);
        let leads_here = path.metadata().is_ok_and(|other| identity::of(&other) == log.identity);
        let unread = |source| TailError::Unreadable { path: target.path.clone(), source };
        let is_it = is_read && leads_here && holds(other, log).map_err(unread)?.is_some();
        Ok(is_it.then(|| path.to_owned()))
    }

    /// How far the file of a source was read as the one of another source, which it was before
    /// it was renamed.
    pub(super) fn read_elsewhere(
        &self,
        source: &Source,
        log: &mut LogFile,
    ) -> io::Result<Option<Place>> {
        self.known_by(source, log.identity).map_or(Ok(None), |other| holds(other, log))
    }

    /// Another source that has read a file with this device and inode last.
    fn known_by(&self, source: &Source, file: FileIdentity) -> Option<&Source> {
        let other = self.known.get(self.by_identity.get(&file)?)?;
        (other.id != source.id).then_some(other)
    }

    /// Reads the targets that are named like rotated files, as far as they are none.
    pub(super) fn read_archives(&mut self, targets: &[Target]) -> Result<(), StoreError> {
        let mut unknown: Vec<&Target> = Vec::new();
        for (target, is_known) in self.known_archives(targets)? {
            if self.outcome.is_unfinished() {
                return Ok(());
            }
            if !is_known {
                unknown.push(target);
            }
        }
        let by_path: BTreeMap<&Path, &Target> =
            targets.iter().map(|target| (target.path.as_path(), target)).collect();
        // As they are after all logs were read, loaded when the first look needs them.
        let mut sources: Option<HashMap<PathBuf, Source>> = None;
        for target in unknown {
            let Some(log) = self.archives.log_of(&target.path) else { continue };
            let is_source =
                self.known.get(&target.path).is_some_and(|source| source.generation > 0);
            if !is_source && !self.looked_at.contains(log) {
                match by_path.get(log) {
                    // New, though its log was not rotated: only a look at all files tells.
                    Some(log) => {
                        let sources = match &mut sources {
                            Some(sources) => sources,
                            None => sources.insert(self.load_sources()?),
                        };
                        if let Some(source) = sources.get_mut(&log.path) {
                            self.look_again(log, source)?;
                        }
                    }
                    None => {
                        self.strangers.insert(target.path.clone());
                    }
                }
            }
            if is_source || self.strangers.contains(&target.path) || !target.path.is_file() {
                self.read(target)?;
            } else {
                log::info!("{} is a part of {}", target.path.display(), log.display());
            }
            if self.outcome.is_unfinished() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn load_sources(&mut self) -> Result<HashMap<PathBuf, Source>, StoreError> {
        let sources = sources::load(self.connection, self.ingest.host)?;
        Ok(sources.into_iter().map(|source| (PathBuf::from(&source.path), source)).collect())
    }

    /// Looks at the files beside a log that was read already in this run.
    fn look_again(&mut self, target: &Target, source: &mut Source) -> Result<(), StoreError> {
        let result = LogFile::open(&target.path).map_err(IngestError::from).and_then(|mut log| {
            match self.find_files(target, source, &mut log)? {
                Some(found) => self.read_earlier(target, source, found.files, log.size),
                None => Ok(None),
            }
        });
        match result {
            Err(IngestError::Store(error)) => Err(error),
            Err(error) => {
                // It is told where the log itself is read.
                log::debug!("{error}");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// The targets that are named like rotated files, and whether they are known as parts of
    /// their logs: with one query for all of them.
    fn known_archives<'t>(
        &mut self,
        targets: &'t [Target],
    ) -> Result<Vec<(&'t Target, bool)>, StoreError> {
        let mut archives = Vec::new();
        for target in targets {
            if let Some(log) = self.archives.log_of(&target.path) {
                archives.push((target, log, target.path.metadata().ok()));
            }
        }
        if archives.is_empty() {
            return Ok(Vec::new());
        }
        let ids: HashMap<&Path, SourceId> = archives
            .iter()
            .filter_map(|(_, log, _)| Some((*log, self.registered_as.get(*log)?.to_owned())))
            .collect();
        let sources: Vec<SourceId> = ids.values().copied().collect();
        let inodes: Vec<u64> =
            archives.iter().filter_map(|(.., metadata)| Some(metadata.as_ref()?.ino())).collect();
        let known = generations::with_inodes(self.connection, &sources, &inodes)?;
        let is_known = |log: &Path, metadata: &std::fs::Metadata| {
            let file = identity::of(metadata);
            let files = ids.get(log).and_then(|id| known.get(id)).into_iter().flatten();
            self.seen.contains_key(&file)
                || files
                    .into_iter()
                    .any(|known| known.place.identity == file && known.size_bytes == metadata.len())
        };
        Ok(archives
            .into_iter()
            .map(|(target, log, metadata)| {
                (target, metadata.is_some_and(|metadata| is_known(log, &metadata)))
            })
            .collect())
    }
}
