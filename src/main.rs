//! The program's entry: arguments, logger, clock, exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tripline::cli::{Cli, Global};
use tripline::commands;
use tripline::model::Tick;

/// Where messages go that say what to do.
const HINT: &str = "tripline::hint";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logger(&cli.global);
    commands::hide_url(&cli.global);
    commands::allow_many_files();
    match commands::execute(&cli, Tick(now(&cli.global))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if commands::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let code = commands::exit_code(&error);
            if commands::is_busy(&error) {
                log::info!("{}", commands::message(&error));
            } else if !commands::is_told(&error) {
                log::error!("{}", commands::message(&error));
                if let Some(hint) = commands::hint(&error) {
                    log::error!(target: HINT, "{hint}");
                }
            }
            ExitCode::from(code)
        }
    }
}

/// The only place that reads the clock.
#[expect(clippy::disallowed_methods, reason = "everything below takes the tick as an argument")]
fn now(global: &Global) -> chrono::DateTime<chrono::Utc> {
    global.now.unwrap_or_else(chrono::Utc::now)
}

/// One line a message on standard error; `RUST_LOG` wins over -v and -q.
fn start_logger(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "tripline=info,warn",
        (false, _) => "tripline=debug,warn",
    };
    let environment = env_logger::Env::default().default_filter_or(level);
    env_logger::Builder::from_env(environment)
        // It writes whole URLs at the level trace, and some are secrets.
        .filter_module("ureq", log::LevelFilter::Warn)
        .format(|buffer, record| {
            let level = match record.target() {
                HINT => "hint".to_owned(),
                _ => record.level().as_str().to_lowercase(),
            };
            writeln!(buffer, "tripline: {level}: {}", record.args())
        })
        .init();
}
