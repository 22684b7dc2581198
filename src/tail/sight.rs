//! What do the files beside a log show?
//!
//! In: candidates and the files that are known. Out: of each one which known file it holds,
//! whether it goes on beyond what was read of that, and how old it seems. Here the files are
//! opened and their bytes compared; what follows from it is decided in `rotation`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::candidates::Candidate;
use super::copies;
use super::decoders::MAGIC_BYTES;
use super::facts::{FileFacts, Role, Substance};
use super::identity::{self, BEGIN_BYTES, PROBE_BYTES};
use super::names;
use super::order::Age;
use super::{End, LogFile, TailError};
use crate::model::{EventTime, FileIdentity, Generation, GenerationState, Place};

/// How much is compared at once.
const COMPARE_BYTES: usize = 64 * 1024;

/// A file beside the log.
#[derive(Debug)]
pub struct Beside {
    /// Where it lies.
    pub path: PathBuf,
    /// The open file.
    pub log: LogFile,
    /// What it shows.
    pub facts: FileFacts,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
}

/// Tells when the first entry of some lines happened, which a file holds that was changed last
/// at this moment.
pub type FirstEntry<'a> = dyn Fn(&[u8], SystemTime) -> Option<EventTime> + 'a;

/// The files beside a log.
#[derive(Debug)]
pub struct Sight {
    /// Those that could be read.
    pub files: Vec<Beside>,
    /// Those that could not, and why.
    pub unreadable: Vec<TailError>,
}

/// Files that are recognised by what is in them.
pub struct Known<'a> {
    /// All of which something was read, the one at the path among them.
    pub(super) generations: &'a [Generation],
    /// By how many bytes their heads have, and their hash.
    by_head: BTreeMap<usize, HashMap<u64, Vec<&'a Generation>>>,
    by_file_hash: HashMap<(u64, u64), &'a Generation>,
    pub(super) present: Option<&'a Generation>,
}

impl fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.generations.fmt(f)
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Held<'a> {
    /// Files of which everything that was read is in it.
    pub surely: Vec<&'a Generation>,
    /// Files of which so little was read that another one may begin in the same way: with a
    /// line that each new log begins with.
    pub perhaps: Vec<&'a Generation>,
}

impl<'a> Known<'a> {
    /// To recognise these files; `present` is the number of the log's present one.
    pub fn new(generations: &'a [Generation], present: Option<i64>) -> Self {
        let mut by_head: BTreeMap<usize, HashMap<u64, Vec<&Generation>>> = BTreeMap::new();
        let mut by_file_hash = HashMap::new();
        for generation in generations {
            let place = &generation.place;
            if place.byte_offset > 0 {
                let length = identity::probe_length(place.byte_offset);
                let heads = by_head.entry(length).or_default();
                heads.entry(place.head_hash).or_default().push(generation);
            }
            if let Some(hash) = generation.file_hash {
                by_file_hash.insert((generation.size_bytes, hash), generation);
            }
        }
        let present = generations.iter().find(|generation| Some(generation.number) == present);
        Self { generations, by_head, by_file_hash, present }
    }

    /// The known files that a file holds. Of those without a line, only the inode tells.
    ///
    /// # Errors
    /// When the file cannot be read; what a damaged archive holds is told as far as it goes.
    pub fn held_by(&self, log: &mut LogFile, head: &[u8]) -> io::Result<Held<'a>> {
        // An archive that is done with stays as it is: what its hash does not tell is another one.
        let may_change = |generation: &Generation| {
            generation.file_hash.is_none() || generation.state == GenerationState::Unfinished
        };
        let is_empty = |generation: &&Generation| {
            generation.place.byte_offset == 0
                && may_change(generation)
                && is_on_inode_of(generation, log)
        };
        let surely = self.generations.iter().filter(is_empty).collect();
        let mut found = Held { surely, perhaps: Vec::new() };
        let mut alike: Vec<&Generation> = Vec::new();
        for (length, heads) in self.by_head.range(..=head.len()) {
            alike.extend(heads.get(&identity::hash(&head[..*length])).into_iter().flatten());
        }
        // Forward, as an archive is decompressed.
        alike.sort_unstable_by_key(|generation| generation.place.byte_offset);
        for generation in alike {
            match is_held(generation, log) {
                Ok(Some(true)) => found.surely.push(generation),
                Ok(Some(false)) => found.perhaps.push(generation),
                Ok(None) => {}
                Err(error) if is_end(&error) || is_damage(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Whether a file, of these first bytes, is shorter than what was read of the present one,
    /// and begins as that does.
    fn begins_present(&self, log: &mut LogFile, head: &[u8]) -> io::Result<bool> {
        let Some(present) = self.present.map(|present| present.place) else { return Ok(false) };
        if head.len() < BEGIN_BYTES || identity::hash(&head[..BEGIN_BYTES]) != present.begin_hash {
            return Ok(false);
        }
        if head.len() == PROBE_BYTES && identity::hash(head) != present.head_hash {
            return Ok(false);
        }
        match log.content.bytes_at(present.byte_offset.saturating_sub(1), 1) {
            Ok(last) => Ok(last.is_empty()),
            Err(error) if is_damage(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a file may be the known one itself: an archive that is made of it may get its inode
/// a moment later.
pub(super) fn is_on_inode_of(known: &Generation, log: &LogFile) -> bool {
    known.place.identity.inode == log.identity.inode
        && known.file_hash.is_some() == log.content.is_packed()
}

/// Whether what was read of a known file is in this one, whose head is that of it; `false` if
/// that is so little, and this file so much more, that it may as well be another one.
fn is_held(known: &Generation, log: &mut LogFile) -> io::Result<Option<bool>> {
    let place = &known.place;
    let marker = identity::marker(&mut log.content, place.byte_offset)?;
    if identity::hash(&marker) != place.marker_hash {
        return Ok(None);
    }
    let is_much = place.byte_offset > PROBE_BYTES as u64;
    let is_itself = is_on_inode_of(known, log);
    let mut goes_on = || log.content.bytes_at(place.byte_offset, 1).map(|more| !more.is_empty());
    Ok(Some(is_much || is_itself || !whatever_is_whole(goes_on())?))
}

/// Looks at candidates. `present` is what the log's path leads to now; it is none of them.
/// `may_grow` says whether a file with this time of change may be changed again.
pub fn look(
    candidates: Vec<Candidate>,
    known: &Known<'_>,
    present: &mut LogFile,
    first_entry: &FirstEntry<'_>,
    may_grow: &dyn Fn(SystemTime) -> bool,
) -> Sight {
    let mut sight = Sight { files: Vec::new(), unreadable: Vec::new() };
    for candidate in candidates {
        let path = candidate.path.clone();
        match look_at(candidate, known, present.identity, first_entry) {
            // A file has one name here, though several lead to it.
            Ok(Some(mut file)) => {
                file.facts.substance = file.substance(may_grow(file.log.modified));
                let same = |one: &&mut Beside| one.log.identity == file.log.identity;
                match sight.files.iter_mut().find(same) {
                    Some(one) => {
                        one.facts.age.name = one.facts.age.name.take().or(file.facts.age.name);
                    }
                    None => sight.files.push(file),
                }
            }
            Ok(None) => {}
            // Not there any more, or never a file: `is_still_so` and the search tell.
            Err(TailError::Unreadable { path, source }) => {
                sight.unreadable.push(TailError::Unreadable { path, source });
            }
            Err(error) => log::debug!("{} is passed over: {error}", path.display()),
        }
    }
    copies::tell_apart(&mut sight.files, known, present);
    copies::mark_backups(&mut sight.files, known, present);
    copies::mark_copies(&mut sight.files, present);
    sight
}

/// `None` for another name of the present file.
fn look_at(
    candidate: Candidate,
    known: &Known<'_>,
    present: FileIdentity,
    first_entry: &FirstEntry<'_>,
) -> Result<Option<Beside>, TailError> {
    let path = candidate.path;
    let mut log = LogFile::open(&path)?;
    if log.identity == present {
        return Ok(None);
    }
    let (head, facts) = shown_by(&mut log, known, first_entry)
        .map_err(|source| TailError::Unreadable { path: path.clone(), source })?;
    let age = Age { name: candidate.name, ..facts.age };
    let facts = FileFacts { path: path.to_string_lossy().into_owned(), age, ..facts };
    Ok(Some(Beside { path, log, facts, head }))
}

/// The first bytes of a file, and what all of them show.
fn shown_by(
    log: &mut LogFile,
    known: &Known<'_>,
    first_entry: &FirstEntry<'_>,
) -> io::Result<(Vec<u8>, FileFacts)> {
    let file_hash = log.file_hash()?;
    let head = log.content.bytes_at(0, PROBE_BYTES);
    let is_empty = head.as_ref().is_ok_and(Vec::is_empty);
    let head = whatever_is_whole(head)?;
    let mut facts = FileFacts {
        path: String::new(),
        identity: log.identity,
        size_bytes: log.size,
        file_hash,
        age: Age {
            name: None,
            modified: log.modified,
            first_entry: first_entry(&head, log.modified),
        },
        holds: Vec::new(),
        begins_like: Vec::new(),
        goes_on: false,
        substance: if is_empty { Substance::Empty } else { Substance::Own },
        place: place_to_note(log, &head)?,
        role: Role::Unnamed,
    };
    if let Some(same) = file_hash.and_then(|hash| known.by_file_hash.get(&(log.size, hash))) {
        facts.holds.push(same.number);
        return Ok((head, facts));
    }
    let found = known.held_by(log, &head)?;
    if found.surely.is_empty() && is_incomplete(log)? {
        facts.substance = Substance::Incomplete;
    }
    let numbers = |held: &[&Generation]| held.iter().map(|generation| generation.number).collect();
    facts.holds = numbers(&found.surely);
    facts.begins_like = numbers(&found.perhaps);
    let most = found.surely.iter().max_by_key(|generation| generation.place.byte_offset);
    if let Some(most) = most.filter(|most| most.state != GenerationState::Unfinished) {
        facts.goes_on = whatever_is_whole(has_line_from(log, most.place.byte_offset))?;
    }
    let is_read = found.surely.iter().any(|one| one.state != GenerationState::Skipped);
    if facts.substance == Substance::Own && !is_read && known.begins_present(log, &head)? {
        facts.substance = Substance::BeginsPresent;
        // When it began decides whether it is a copy.
        if facts.age.first_entry.is_none() {
            let more = whatever_is_whole(log.content.bytes_at(0, COMPARE_BYTES))?;
            facts.age.first_entry = first_entry(&more, log.modified);
        }
    }
    Ok((head, facts))
}

/// A damaged archive is not unreadable: the damage is told when it is read.
fn whatever_is_whole<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if is_damage(&error) => Ok(T::default()),
        result => result,
    }
}

/// Whether an error says that an archive is damaged, or more than we can read.
pub fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::OutOfMemory)
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Whether a file is an archive that ends early, or has not even begun.
fn is_incomplete(log: &mut LogFile) -> io::Result<bool> {
    if !log.content.is_packed() {
        return Ok(false);
    }
    let ending = log.content.ending();
    let mut offset = 0;
    loop {
        let bytes = whatever_is_whole(log.content.bytes_at(offset, COMPARE_BYTES))?;
        if bytes.len() < COMPARE_BYTES {
            return Ok(ending.get() == Some(End::Early));
        }
        offset += bytes.len() as u64;
    }
}

/// By which a file is recognised of which nothing was read: its end, or the beginning of an
/// archive, whose end is far to go.
fn place_to_note(log: &mut LogFile, head: &[u8]) -> io::Result<Place> {
    if log.content.is_packed() {
        return Ok(identity::made_of(log.identity, head.len() as u64, head, head));
    }
    log.last_line_end(encoding_rs::UTF_8)
}

/// Whether the end of a line stands behind an offset.
fn has_line_from(log: &mut LogFile, offset: u64) -> io::Result<bool> {
    let mut offset = offset;
    loop {
        let bytes = log.content.bytes_at(offset, COMPARE_BYTES)?;
        if memchr::memchr(b'\n', &bytes).is_some() {
            return Ok(true);
        }
        if bytes.len() < COMPARE_BYTES {
            return Ok(false);
        }
        offset += bytes.len() as u64;
    }
}

impl Beside {
    /// What it is, if it may change yet or not.
    fn substance(&self, may_grow: bool) -> Substance {
        let begins_archive = || {
            let is_short = self.log.size < MAGIC_BYTES as u64 && !self.log.content.is_packed();
            is_short && names::is_compressed(&self.facts.path)
        };
        match self.facts.substance {
            // It will not become more.
            Substance::Incomplete if !may_grow => Substance::Own,
            // Somebody has just made room for an archive.
            Substance::Own | Substance::Empty if may_grow && begins_archive() => {
                Substance::Incomplete
            }
            substance => substance,
        }
    }
}

impl Sight {
    /// Whether the paths still lead to the files that were looked at: else they were renamed
    /// meanwhile, and one may have been missed.
    pub fn is_still_so(&self, path: &Path, present: FileIdentity) -> bool {
        let leads_to = |path: &Path, file: FileIdentity| {
            path.metadata().is_ok_and(|metadata| identity::of(&metadata) == file)
        };
        leads_to(path, present)
            && self.files.iter().all(|file| leads_to(&file.path, file.log.identity))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn an_archive_on_the_inode_of_an_empty_one_that_is_done_with_is_another_one() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut packed = GzEncoder::new(file.as_file_mut(), Compression::default());
        packed.write_all(b"one\n").unwrap();
        packed.finish().unwrap();
        let mut log = LogFile::open(file.path()).unwrap();
        let mut held = |state| {
            let known = Generation {
                number: 1,
                path: "app.log.1.gz".to_owned(),
                place: identity::beginning(log.identity),
                size_bytes: 20,
                file_hash: Some(1),
                state,
            };
            Known::new(&[known], None).held_by(&mut log, b"one\n").unwrap().surely.len()
        };
        assert_eq!(held(GenerationState::Unfinished), 1, "it may have been written on");
        assert_eq!(held(GenerationState::Finished), 0);
        assert_eq!(held(GenerationState::Skipped), 0);
    }
}
