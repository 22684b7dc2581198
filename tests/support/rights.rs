//! The program without the rights of root, who may read every file.

use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::{io, thread};

use rustix::process::geteuid;

use super::program::{Ran, Setup, ran};

/// Runs the program so that it cannot read what it may not.
pub(crate) fn ran_without_rights(setup: &Setup, program: &mut Command) -> Ran {
    if geteuid().is_root() { without_rights(setup, program) } else { ran(program) }
}

/// Runs the program as root without root's right to read everything.
///
/// Then it may not enter the folder of the server's socket either, so we pass on what it says
/// to the server and what the server answers.
fn without_rights(setup: &Setup, program: &Command) -> Ran {
    let url = setup.database.url();
    let Some(server) = url.split(['?', '&']).find_map(|part| part.strip_prefix("host=")) else {
        return unprivileged(program, url);
    };
    let server = server.replace("%2F", "/").replace("%2f", "/") + "/.s.PGSQL.5432";
    let socket = setup.path(".s.PGSQL.5432");
    let listener = UnixListener::bind(&socket).expect("pass on the connection");
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) = (
                client.expect("pass on the connection"),
                UnixStream::connect(&server).expect("pass on the connection"),
            );
            let (mut to_server, mut to_client) = (
                server.try_clone().expect("pass on the connection"),
                client.try_clone().expect("pass on the connection"),
            );
            thread::spawn(move || io::copy(&mut client, &mut to_server));
            thread::spawn(move || io::copy(&mut server, &mut to_client));
        }
    });
    let (name, user) = ("current_database()", "current_user");
    let of = |what| setup.value(&format!("select {what}::text as value"));
    let folder = setup.folder.path().display();
    let url = format!("host={folder} port=5432 dbname={} user={}", of(name), of(user));
    unprivileged(program, &url)
}

/// Runs the program without the two rights that make root read everything.
fn unprivileged(program: &Command, url: &str) -> Ran {
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-dac_override,-dac_read_search", "--"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(program.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))))
        .env("TRIPLINE_DATABASE_URL", url);
    ran(&mut command)
}
