//! Who types a command.

use std::env;

/// The name that was given, else that of whoever is logged in, be it behind `sudo`.
pub(super) fn author(given: Option<&str>) -> String {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    given
        .map(str::to_owned)
        .or_else(|| ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable))
        .unwrap_or_else(|| "somebody".to_owned())
}
