//! Making the data folder of a private PostgreSQL.
//!
//! Everything is made in `data.new`, which gets the name `data` when it is complete: after a
//! crash at any moment there is either no `data` or one that works and holds the database.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use log::info;

use super::child::{self, Finished};
use super::error::ClusterError;
use super::folders;
use super::layout::{Layout, ROLE};
use super::owner::Owner;
use super::programs::Programs;
use super::settings;
use super::{DATABASE, Durability};

const ACTION: &str = "set up the private PostgreSQL in";

/// What a data folder is called while it is made; the programs run in the base folder.
const NEW_DATA: &str = "data.new";

/// Locales to try: with the first, upper and lower case beyond ASCII are known; the second
/// exists everywhere.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes the data folder, with the role and the database `tripline` in it.
///
/// What an earlier attempt left is removed first. The caller holds the lock.
pub(super) fn set_up(
    layout: &Layout,
    owner: Owner,
    programs: &Programs,
    durability: Durability,
) -> Result<(), ClusterError> {
    info!("setting up a private PostgreSQL in {}", layout.base().display());
    let new_data = layout.new_data();
    remove_leftover(&new_data)?;
    let set_up = SetUp { layout, owner, programs };
    set_up.initialise()?;
    set_up.write_configuration()?;
    set_up.create_database()?;
    if matches!(durability, Durability::Safe) {
        set_up.run_initdb(&["--sync-only"])?.or_failed_to(ACTION, layout.base())?;
    }
    fs::rename(&new_data, layout.data()).map_err(ClusterError::file("rename", &new_data))?;
    folders::sync(layout.base())
}

/// One attempt, with what all its steps need.
struct SetUp<'a> {
    layout: &'a Layout,
    owner: Owner,
    programs: &'a Programs,
}

impl SetUp<'_> {
    fn initialise(&self) -> Result<(), ClusterError> {
        let [best, everywhere] = LOCALES;
        let mut finished = self.run_initdb_in(best)?;
        if !finished.success && finished.output.contains("invalid locale") {
            finished = self.run_initdb_in(everywhere)?;
        }
        finished.or_failed_to(ACTION, self.layout.base())
    }

    /// `initdb` removes what it made if it fails.
    fn run_initdb_in(&self, locale: &str) -> Result<Finished, ClusterError> {
        self.run_initdb(&[
            "--no-sync",
            "--auth=peer",
            "--data-checksums",
            "--encoding=UTF8",
            &format!("--username={ROLE}"),
            &format!("--locale={locale}"),
        ])
    }

    fn run_initdb(&self, arguments: &[&str]) -> Result<Finished, ClusterError> {
        let mut command = self.owner.command(&self.programs.path("initdb"), self.layout);
        command.args(arguments).args(["-D", NEW_DATA]);
        child::run(command, "")
    }

    fn write_configuration(&self) -> Result<(), ClusterError> {
        self.append("postgresql.conf", settings::POSTGRESQL_CONF)?;
        self.replace("pg_hba.conf", settings::PG_HBA_CONF)?;
        self.replace("pg_ident.conf", &settings::pg_ident_conf(&self.owner.names()?))
    }

    fn append(&self, name: &str, text: &str) -> Result<(), ClusterError> {
        self.write("cat >> \"$1\"", name, text)
    }

    fn replace(&self, name: &str, text: &str) -> Result<(), ClusterError> {
        self.write("cat > \"$1\"", name, text)
    }

    /// Writes as the owner: root must not open files by name in another user's folder.
    fn write(&self, script: &str, name: &str, text: &str) -> Result<(), ClusterError> {
        let mut command = self.owner.command(Path::new("/bin/sh"), self.layout);
        command.args(["-c", script, "sh", &format!("{NEW_DATA}/{name}")]);
        child::run(command, text)?.or_failed_to("write the configuration in", self.layout.base())
    }

    /// Creates the database without starting a server, so that no data folder ever lacks it.
    fn create_database(&self) -> Result<(), ClusterError> {
        let mut command = self.owner.command(&self.programs.path("postgres"), self.layout);
        // Without exit_on_error a failed statement would still be a successful end.
        command.args(["--single", "-D", NEW_DATA, "-F", "-c", "exit_on_error=on", "postgres"]);
        child::run(command, &format!("create database {DATABASE}\n"))?
            .or_failed_to(ACTION, self.layout.base())
    }
}

fn remove_leftover(new_data: &Path) -> Result<(), ClusterError> {
    match fs::remove_dir_all(new_data) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(ClusterError::file("remove", new_data)(error))
        }
        _ => Ok(()),
    }
}
