//! What a run with nothing to do asks of the database: most runs are such, on every host.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use expect_test::expect;
use support::program::{Setup, ran};
use support::proxy::Proxy;

#[test]
fn a_tick_with_nothing_new_asks_little() {
    let setup = Setup::new();
    for name in ["one.log", "two.log", "three.log"] {
        setup.write(name, "2026-01-15 11:00:00 [FATAL] one\n");
    }
    setup.config("[[source]]\npaths = [\"LOGS/*.log\"]");
    assert_eq!(setup.run(["run"]).code, Some(0));
    let proxy = Proxy::new(setup.database.url());
    let mut run = setup.command(["run"]);
    run.env("TRIPLINE_DATABASE_URL", proxy.url(setup.database.url()));
    ran(&mut run).expect_silence();
    // The first two are of diesel itself. No statement is for one log, and each is a transaction
    // of its own, so that none waits for ever for somebody's lock.
    expect![[r#"
        SET TIME ZONE 'UTC'
        SET CLIENT_ENCODING TO 'UTF8'
        -- What every transaction begins with; how long a statement may take f
        select version from __diesel_schema_migrations order by version
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        -- The rules in use of host $1, as the config writes them. select name
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        -- All sources of the host $1 with the state of their reading. select 
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        -- Sources of host $1, or of every host, that have something to evalua
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        select exists ( select from notifications where host = $1 and (next_at
        COMMIT
        -- What every transaction begins with; how long a statement may take f
        INSERT INTO "runs" ("host", "command", "version", "started_at", "durat
        COMMIT
    "#]]
    .assert_eq(&(proxy.points().join("\n") + "\n"));
}
