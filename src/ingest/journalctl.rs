//! The program `journalctl` at work.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::config::JournalConfig;
use crate::model::EventTime;
use crate::tail::journal::{JournalEntry, JournalReader};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;
/// How much of what it says on standard error is told.
const MAX_SAID_BYTES: u64 = 500;

/// Which entries are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// All.
    All,
    /// Those at or after a moment.
    Since(EventTime),
    /// The last one.
    Last,
    /// The one at a cursor, and all after it. What `--after-cursor` gives is not told apart from
    /// a journal that has lost this one, and then it leaves out the next one (systemd 252).
    From(&'a str),
}

/// A run of it.
pub(super) struct Journalctl {
    child: Child,
    reader: JournalReader<BufReader<ChildStdout>>,
    /// What it says on standard error.
    said: File,
    has_entries: bool,
    is_over: bool,
}

impl Journalctl {
    /// Starts it.
    ///
    /// # Errors
    /// Why it cannot be started, to be read after "cannot read the journal: ".
    pub(super) fn start(
        journal: &JournalConfig,
        wanted: Wanted<'_>,
        max_message_bytes: usize,
    ) -> Result<Self, String> {
        let mut command = Command::new("journalctl");
        command.args(["--output=export", "--no-pager"]);
        match wanted {
            Wanted::All => {}
            Wanted::Since(EventTime(micros)) => {
                let (seconds, micros) =
                    (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
                command.arg(format!("--since=@{seconds}.{micros:06}"));
            }
            Wanted::Last => {
                command.arg("--lines=1");
            }
            Wanted::From(cursor) => {
                command.arg(format!("--cursor={cursor}"));
            }
        }
        for unit in &journal.units {
            command.arg(format!("--unit={unit}"));
        }
        let said = tempfile::tempfile().map_err(|error| error.to_string())?;
        let stderr = said.try_clone().map_err(|error| error.to_string())?;
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                "journalctl is not in PATH; is this a host with systemd?".to_owned()
            }
            _ => format!("cannot start journalctl: {error}"),
        })?;
        let Some(output) = child.stdout.take() else {
            return Err("journalctl has no output".to_owned());
        };
        let input = BufReader::with_capacity(READ_BYTES, output);
        let reader = JournalReader::new(input, max_message_bytes);
        Ok(Self { child, reader, said, has_entries: false, is_over: false })
    }

    /// The next entry, or `None` after the last one, when the program has ended well.
    ///
    /// # Errors
    /// What went wrong, to be read after "cannot read the journal: ".
    pub(super) fn next_entry(&mut self) -> Result<Option<&JournalEntry>, String> {
        // Asked once more after the last one it would ask the program once more.
        if self.is_over {
            return Ok(None);
        }
        let found = match self.reader.next_entry() {
            Ok(found) => found.is_some(),
            Err(error) => {
                self.end()?;
                return Err(format!("journalctl says what is no journal: {error}"));
            }
        };
        if !found {
            self.end()?;
            return Ok(None);
        }
        self.has_entries = true;
        Ok(Some(self.reader.entry()))
    }

    /// Takes back the entry given out last: the next call gives it out again.
    pub(super) fn take_back(&mut self) {
        self.reader.take_back();
    }

    /// Waits for its end, and says what is wrong with it.
    fn end(&mut self) -> Result<(), String> {
        self.is_over = true;
        let status = self.child.wait().map_err(|error| error.to_string())?;
        let said = self.said();
        // On a host without a journal it ends well, and says so.
        let is_blind = !self.has_entries && said.starts_with("No journal files");
        if status.success() && !is_blind {
            if !said.is_empty() {
                log::debug!("journalctl: {said}");
            }
            return Ok(());
        }
        let mut message = format!("journalctl ended with {status}");
        if !said.is_empty() {
            let _ = write!(message, ": {said}");
        }
        Err(message)
    }

    /// What it has said on standard error, on one line.
    fn said(&mut self) -> String {
        let mut said = Vec::new();
        let read = self
            .said
            .rewind()
            .and_then(|()| (&self.said).take(MAX_SAID_BYTES).read_to_end(&mut said));
        match read {
            Ok(_) => {
                String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }
}

/// What is left unread is not waited for.
impl Drop for Journalctl {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
