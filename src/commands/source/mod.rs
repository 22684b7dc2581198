//! `tripline source`: list the sources, forget one, read one anew, rename one.
//!
//! What changes something holds the locks of both stages meanwhile, so that no run of this
//! user is at work. Runs of others are kept out by the lock of the source's row.

pub(super) mod find;

use std::io::Write;
use std::path::{self, Path};
use std::sync::atomic::AtomicBool;

use anyhow::bail;
use diesel::pg::PgConnection;

use super::confirm::is_confirmed;
use super::session::{Session, Stage, UsageError};
use super::{is_busy, shell_word};
use crate::cli::{Consent, Global, Json, OneSource, SourceCommand, Wait};
use crate::lock::RunLock;
use crate::model::SourceId;
use crate::report::sources::ListedSource;
use crate::store::housekeeping;
use crate::store::transaction::{Patience, transaction};
use crate::tail::identity;
use crate::{config, report, visible};

/// Characters of a name or a path that are shown.
const NAME_CHARS: usize = 4096;

pub(super) fn run(
    global: &Global,
    command: &SourceCommand,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let connection = session.connect()?;
    let mut work = Work { session, connection, stop, stdout };
    match command {
        SourceCommand::List(output) => work.list(output),
        SourceCommand::Forget { source, consent, wait } => work.forget(source, consent, wait),
        SourceCommand::Reset { source, consent, wait } => work.reset(source, consent, wait),
        SourceCommand::Rename { source, path, wait } => work.rename(source, path, wait),
        SourceCommand::RenameHost { old, new, wait } => work.rename_host(old, new, wait),
    }
}

/// What all of them need.
struct Work<'a> {
    session: Session,
    connection: PgConnection,
    stop: &'a AtomicBool,
    stdout: &'a mut dyn Write,
}

impl Work<'_> {
    fn list(&mut self, output: &Json) -> anyhow::Result<()> {
        let sources = self.sources()?;
        if output.json {
            report::write_json(&sources, self.stdout)?;
        } else {
            report::sources::write_table(&sources, self.stdout)?;
        }
        Ok(())
    }

    fn forget(&mut self, named: &OneSource, consent: &Consent, wait: &Wait) -> anyhow::Result<()> {
        let source = self.find(named)?;
        let question = format!(
            "this deletes everything about {} (lines: {}, alerts: {}); the log itself stays",
            shown(&source),
            source.lines,
            source.alerts
        );
        if !is_confirmed(consent.yes, &question)? {
            return Ok(());
        }
        let _locks = self.locks(wait)?;
        let Some(deleted) = housekeeping::forget(&mut self.connection, SourceId(source.id))? else {
            bail!("{} was forgotten meanwhile", shown(&source));
        };
        writeln!(
            self.stdout,
            "forgot {} (entries: {}, alerts: {})",
            shown(&source),
            deleted.entries,
            deleted.alerts
        )?;
        Ok(())
    }

    fn reset(&mut self, named: &OneSource, consent: &Consent, wait: &Wait) -> anyhow::Result<()> {
        let source = self.find(named)?;
        let question = format!(
            "this deletes what was read from {} (lines: {}), also of its earlier files; the next \
             run reads the present one from the beginning",
            shown(&source),
            source.lines
        );
        if !is_confirmed(consent.yes, &question)? {
            return Ok(());
        }
        let _locks = self.locks(wait)?;
        let id = SourceId(source.id);
        let Some(deleted) = housekeeping::reset(&mut self.connection, id, identity::beginning)?
        else {
            bail!("{} was forgotten meanwhile", shown(&source));
        };
        writeln!(
            self.stdout,
            "reset {} (entries: {}); the next run reads its file from the beginning",
            shown(&source),
            deleted.entries
        )?;
        Ok(())
    }

    fn rename(&mut self, named: &OneSource, path: &Path, wait: &Wait) -> anyhow::Result<()> {
        let source = self.find(named)?;
        let Some(path) = self.absolute(&source.host, path) else {
            return Err(UsageError(format!(
                "{:?} is no path of a source: it must be absolute and UTF-8",
                path.display()
            ))
            .into());
        };
        let _locks = self.locks(wait)?;
        if self.sources()?.iter().any(|other| other.host == source.host && other.path == path) {
            return Err(UsageError(format!(
                "{} is a source of {} already; if nothing of it is needed, forget it first: \
                 tripline source forget {}",
                shown_name(&path),
                shown_name(&source.host),
                shell_word(&path),
            ))
            .into());
        }
        housekeeping::rename(&mut self.connection, SourceId(source.id), &path)?;
        writeln!(self.stdout, "{} is {} now", shown(&source), shown_name(&path))?;
        Ok(())
    }

    fn rename_host(&mut self, old: &str, new: &str, wait: &Wait) -> anyhow::Result<()> {
        if let Err(reason) = config::host(new) {
            return Err(UsageError(format!("the new name {reason}")).into());
        }
        let _locks = self.locks(wait)?;
        let sources = self.sources()?;
        if !sources.iter().any(|source| source.host == old) {
            return Err(UsageError(find::unknown_host(&sources, old)).into());
        }
        let twice = find::on_both(&sources, old, new);
        if let Some(path) = twice.first() {
            return Err(UsageError(format!(
                "{} has sources at the same paths already: {}; if nothing of them is needed, \
                 forget them first: tripline source forget {} --host {}",
                shown_name(new),
                find::list(twice.iter().copied()),
                shell_word(path),
                shell_word(new),
            ))
            .into());
        }
        let moved = housekeeping::rename_host(&mut self.connection, old, new)?;
        let (old, new) = (shown_name(old), shown_name(new));
        writeln!(self.stdout, "{old} is {new} now (sources: {moved})")?;
        Ok(())
    }

    fn sources(&mut self) -> anyhow::Result<Vec<ListedSource>> {
        Ok(transaction(&mut self.connection, Patience::Long, report::sources::list)?)
    }

    /// The source that the command line names.
    fn find(&mut self, named: &OneSource) -> anyhow::Result<ListedSource> {
        let host = named.host.clone().unwrap_or_else(|| self.session.host.clone());
        let absolute = self.absolute(&host, Path::new(&named.name));
        let sources = self.sources()?;
        let found = find::find(&sources, &host, &named.name, absolute.as_deref());
        Ok(found.map_err(UsageError)?.clone())
    }

    /// A path of a host; only of this one a relative path says something.
    fn absolute(&self, host: &str, path: &Path) -> Option<String> {
        let path = if host == self.session.host { path::absolute(path).ok()? } else { path.into() };
        path.is_absolute().then(|| path.to_str().map(str::to_owned)).flatten()
    }

    /// Keeps runs from beginning. Unlike a run, whoever types this wants to know of the other.
    fn locks(&self, wait: &Wait) -> anyhow::Result<[RunLock; 2]> {
        let lock = |stage| {
            self.session.lock(stage, wait.seconds, self.stop).inspect_err(|error| {
                if is_busy(error) {
                    log::error!("a run is at work; try again, or wait for it: --wait SECONDS");
                }
            })
        };
        Ok([lock(Stage::Ingest)?, lock(Stage::Alert)?])
    }
}

/// A source as messages name it.
fn shown(source: &ListedSource) -> String {
    format!("{} on {}", shown_name(&source.path), shown_name(&source.host))
}

fn shown_name(name: &str) -> String {
    visible::line(name, NAME_CHARS)
}
