//! A program that is given something to read, and that ends in time.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::failure::Failure;
use super::send::no_answer;

/// Variables that may hold a password of the database.
const NOT_PASSED_ON: [&str; 3] = ["TRIPLINE_DATABASE_URL", "DATABASE_URL", "PGPASSWORD"];
/// Bytes of what a program prints that are kept.
const OUTPUT_BYTES: usize = 2048;

/// Runs a program, gives it `input` on standard input, and waits until it ends, for no longer
/// than `patience`: then it and what it has started are killed.
///
/// It does not get the variables in `withheld`, which hold secrets of others. That is care and no
/// wall: what runs as the same user can find out more if it wants to.
///
/// # Errors
/// When it cannot be started, takes too long, or ends with anything but 0; with what it printed.
pub(super) fn run(
    mut command: Command,
    withheld: &[String],
    input: Vec<u8>,
    patience: Duration,
) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    for name in NOT_PASSED_ON.into_iter().chain(withheld.iter().map(String::as_str)) {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| Failure::of_channel(&format!("cannot start {program}: {error}")))?;
    let group = Pid::from_child(&child);
    if let Some(mut stdin) = child.stdin.take() {
        // It need not read it; then this thread ends with it.
        thread::spawn(move || stdin.write_all(&input));
    }
    let output = Arc::new(Mutex::new(Vec::new()));
    let ends = [keep(child.stdout.take(), &output), keep(child.stderr.take(), &output)];
    match wait(child, patience) {
        Some(Ok(status)) if status.success() => Ok(()),
        Some(Ok(status)) => {
            for end in ends {
                // What it has started may keep its output open.
                let _ = end.recv_timeout(Duration::from_millis(200));
            }
            Err(Failure::of_message(&format!("{program} {}{}", ending(status), printed(&output))))
        }
        Some(Err(error)) => {
            Err(Failure::of_channel(&format!("cannot wait for {program}: {error}")))
        }
        None => {
            // It is there still: nobody has waited for it.
            let _ = kill_process_group(group, Signal::KILL);
            let failure = no_answer(patience);
            Err(Failure {
                reason: format!("{program}: {}{}", failure.reason, printed(&output)),
                ..failure
            })
        }
    }
}

/// How it ended; `None`: it has not.
fn wait(mut child: Child, patience: Duration) -> Option<io::Result<ExitStatus>> {
    let (ended, endings) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait()));
    endings.recv_timeout(patience).ok()
}

/// Reads a pipe to its end and keeps the first bytes of it. Returns what tells of the end.
fn keep(
    pipe: Option<impl Read + Send + 'static>,
    output: &Arc<Mutex<Vec<u8>>>,
) -> mpsc::Receiver<()> {
    let (ended, ends) = mpsc::channel();
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        let mut pipe = pipe;
        while let Some(Ok(length @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            if let Ok(mut output) = output.lock() {
                let free = OUTPUT_BYTES.saturating_sub(output.len()).min(length);
                output.extend_from_slice(&buffer[..free]);
            }
        }
        let _ = ended.send(());
    });
    ends
}

fn printed(output: &Mutex<Vec<u8>>) -> String {
    let bytes = output.lock().map(|output| output.clone()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str, patience: Duration) -> Result<(), Failure> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, &[], vec![b'x'; 1 << 20], patience)
    }

    fn reason(script: &str) -> String {
        shell(script, Duration::from_secs(20)).unwrap_err().reason
    }

    #[test]
    fn it_reads_what_it_is_given_or_not() {
        shell("test $(wc -c) = 1048576", Duration::from_secs(20)).unwrap();
        shell("exit 0", Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn how_it_ended_is_told_with_what_it_printed() {
        assert_eq!(reason("echo no route; exit 3"), "/bin/sh ended with 3: no route");
        assert_eq!(reason("kill -9 $$"), "/bin/sh was killed by signal 9");
        assert!(reason("head -c 10000000 /dev/zero; exit 1").len() < 5_000);
    }

    #[test]
    fn one_that_never_ends_is_killed_with_what_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("sleep 1000 & echo $$ $! > {}; echo waiting; wait", pids.display());
        let begun = Instant::now();
        let failure = shell(&script, Duration::from_secs(2)).unwrap_err();
        assert_eq!(failure.reason, "/bin/sh: no answer within 2s: waiting");
        assert!(begun.elapsed() < Duration::from_secs(60));
        for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
            let status = format!("/proc/{pid}/stat");
            // It may wait for its parent to notice.
            while fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn one_that_is_not_there_is_named() {
        let failure = run(Command::new("/no/such/program"), &[], vec![], Duration::from_secs(1));
        assert!(failure.unwrap_err().reason.starts_with("cannot start /no/such/program: No such"));
    }
}
