//! What the program says before it needs a database: help, versions, wrong use, wrong config.
//!
//! The cases are the files `tests/cmd/*.trycmd`; `TRYCMD=overwrite cargo test --test cli`
//! writes what the program says now. The environment hides the config, the state and the
//! database of whoever runs the test.

#[test]
fn what_the_command_line_says() {
    let cases = trycmd::TestCases::new();
    for (variable, value) in [
        ("COLUMNS", "100"),
        ("DATABASE_URL", ""),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("NO_COLOR", "1"),
        ("RUST_BACKTRACE", "0"),
        ("RUST_LOG", "warn"),
        ("TRIPLINE_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/config.in/empty.toml")),
        ("TRIPLINE_DATABASE_URL", ""),
        ("TRIPLINE_STATE_DIR", "/nonexistent/state"),
        ("XDG_CONFIG_HOME", "/nonexistent"),
        ("XDG_STATE_HOME", "/nonexistent"),
    ] {
        cases.env(variable, value);
    }
    cases.case("tests/cmd/*.trycmd");
}
