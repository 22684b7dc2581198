//! Keeps a password that was given on the command line out of the process list.
//!
//! Everybody on the host can read the arguments of a process, but only its user can read its
//! environment. So the program starts itself again in the same process, at once, with the URL
//! in the environment and without the option. What the first few milliseconds show cannot be
//! hidden by the program itself.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::cli::Global;
use crate::store::connection::holds_password;

/// Holds the URL for the second start.
pub(super) const URL: &str = "TRIPLINE_DATABASE_URL";
/// Tells the second start where the URL came from, for messages.
pub(super) const ORIGIN: &str = "TRIPLINE_DATABASE_URL_FROM";
const OPTION: &str = "--database-url";

/// Starts the program again without `--database-url`, if the URL holds a password.
///
/// Returns only if there is nothing to hide, or if the program cannot be started again: it
/// was deleted or replaced just now. Then it goes on as it is.
pub fn hide_url(global: &Global) {
    let Some(url) = global.database_url.as_ref().filter(|url| holds_password(url)) else { return };
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_else(|| "tripline".into());
    let error = match env::current_exe() {
        Ok(program) => Command::new(program)
            .arg0(name)
            .args(without_option(arguments))
            .env(URL, url)
            .env(ORIGIN, OPTION)
            .exec(),
        Err(error) => error,
    };
    log::warn!("cannot hide the password of {OPTION} from the process list: {error}; use {URL}");
}

/// The arguments without the option and its value, in either way of writing it. What stands
/// behind `--` is not ours.
fn without_option(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments;
    let mut kept = Vec::new();
    while let Some(argument) = arguments.next() {
        let written = argument.as_bytes();
        if written == OPTION.as_bytes() {
            arguments.next();
        } else if argument == OsStr::new("--") {
            kept.push(argument);
            kept.extend(arguments.by_ref());
        } else if !written
            .strip_prefix(OPTION.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"="))
        {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_option_is_left_out() {
        for (arguments, expected) in [
            ("run --database-url x app.log", "run app.log"),
            ("--database-url=x -v run", "-v run"),
            ("--config --database-url", "--config"),
            ("db psql -- --database-url x", "db psql -- --database-url x"),
            ("--database-url x db psql -- --database-url=x", "db psql -- --database-url=x"),
            ("--database-urls x", "--database-urls x"),
        ] {
            let kept = without_option(arguments.split(' ').map(OsString::from));
            assert_eq!(kept.join(OsStr::new(" ")), expected);
        }
    }
}
