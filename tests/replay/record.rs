//! `tripline replay --from`: a case made of a log.

use std::fs;
use std::path::PathBuf;

use expect_test::expect;

use super::Scratch;

const LOG: &str = "\
2026-01-01 12:03:05 [ERROR] timeout after 30 s
2026-01-01 12:03:06 [INFO] \"quoted\" \\back ''' and \"\"\"
java.lang.IllegalStateException: it
\tat Shop.main(Shop.java:7)
2026-01-01 12:03:10 [ERROR] order 17 failed
2026-01-01 12:04:05 [ERROR] timeout after 30 s
2026-01-01 12:09:05 [FATAL] gone
";

const CONFIG: &str = r#"host = "web1"

[database]
url = "postgresql://ann:secret@db.example/logs"

# The shop.
[[source]]
name = "shop"
paths = ["CASES/*.log"]
exclude = ["debug*"]
store = ["INFO", "ERROR", "FATAL"]

[[source]]
name = "mail"
paths = ["/var/log/mail/*.log"]

# Timeouts are bad.
[[rule]]
name = "timeouts"
kind = "threshold"
pattern = 'timeout\s'
count = 2
within = "5m"
sources = ["shop", "mail"]

[[rule]]
name = "mail-is-silent"
kind = "absence"
within = "1h"
sources = ["mail"]
"#;

impl Scratch {
    /// Writes a file among the cases and returns its path.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::create_dir_all(self.cases()).unwrap();
        let path = self.cases().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn a_log_becomes_a_case_that_passes() {
    let scratch = Scratch::new();
    let log = scratch.file("app.log", LOG);
    let printed = scratch.replay(&["--from"], &[log]);
    printed.expect(0, &expect![[r#"
        description = "What the rules say about CASES/app.log."

        [[step]]
        append = "CASES/app.log"
        text = """
        2026-01-01 12:03:05 [ERROR] timeout after 30 s
        2026-01-01 12:03:06 [INFO] "quoted" \\back ''' and ""\"
        java.lang.IllegalStateException: it
        \tat Shop.main(Shop.java:7)
        2026-01-01 12:03:10 [ERROR] order 17 failed
        2026-01-01 12:04:05 [ERROR] timeout after 30 s
        2026-01-01 12:09:05 [FATAL] gone
        """

        [[step]]
        run = "2026-01-01T12:10:00Z"
        fired = [{ rule = "fatal", source = "CASES/app.log", started_at = "2026-01-01T12:09:05Z", ended_at = "2026-01-01T12:14:05Z", measured = 1, state = "firing" }]
        resolved = []

        [[step]]
        run = "2026-01-01T12:15:00Z"
        fired = []
        resolved = [{ rule = "fatal", source = "CASES/app.log", started_at = "2026-01-01T12:09:05Z", ended_at = "2026-01-01T12:14:05Z", measured = 1, state = "resolved" }]
        alerts = [{ rule = "fatal", source = "CASES/app.log", started_at = "2026-01-01T12:09:05Z", ended_at = "2026-01-01T12:14:05Z", measured = 1, state = "resolved" }]
        entries = [
            "2026-01-01T12:03:05Z ERROR timeout after 30 s",
            "2026-01-01T12:03:10Z ERROR order 17 failed",
            "2026-01-01T12:04:05Z ERROR timeout after 30 s",
            "2026-01-01T12:09:05Z FATAL gone",
        ]
        unparsed_lines = 0
    "#]]);
    let text = printed.stdout.replace("CASES", scratch.cases().to_str().unwrap());
    let case = scratch.file("from.toml", text);
    scratch.replay(&[], &[case]).expect(
        0,
        &expect![[r"
            ok     from
            1 of 1 cases passed
        "]],
    );
    assert_eq!(scratch.databases_of_cases(), "");
}

#[test]
fn the_case_has_what_the_config_says_about_the_log_and_no_secret() {
    let scratch = Scratch::new();
    let log = scratch.file("app.log", LOG);
    let config = CONFIG.replace("CASES", scratch.cases().to_str().unwrap());
    let config = scratch.file("tripline.toml", config);
    let options = ["--config", config.to_str().unwrap(), "--from"];
    let printed = scratch.replay(&options, std::slice::from_ref(&log));
    assert!(!printed.stdout.contains("secret"));
    let (config_part, rest) = printed.stdout.split_once("\n[[step]]").unwrap();
    expect![[r#"
        description = "What the rules say about CASES/app.log."
        config = '''
        # The shop.
        [[source]]
        name = "shop"
        paths = ["CASES/app.log"]
        store = ["INFO", "ERROR", "FATAL"]

        # Timeouts are bad.
        [[rule]]
        name = "timeouts"
        kind = "threshold"
        pattern = 'timeout\s'
        count = 2
        within = "5m"
        sources = ["shop"]
        '''
    "#]]
    .assert_eq(config_part);
    assert!(rest.contains("timeouts"), "{rest}");
    let text = printed.stdout.replace("CASES", scratch.cases().to_str().unwrap());
    let case = scratch.file("from.toml", text);
    assert_eq!(scratch.replay(&[], &[case]).code, Some(0));
    // A case that would be about nothing is none.
    let mail_only = CONFIG.replace("\"shop\", \"mail\"", "\"mail\"");
    let mail_only = mail_only.replace("CASES", scratch.cases().to_str().unwrap());
    scratch.file("tripline.toml", mail_only);
    let refused = scratch.replay(&options, &[log]);
    assert_eq!(refused.code, Some(1));
    expect![[r#"
        tripline: error: no rule of CASES/tripline.toml is about CASES/app.log: they name other sources
    "#]].assert_eq(&refused.stderr.replace(scratch.cases().to_str().unwrap(), "CASES"));
}

#[test]
fn what_makes_no_case_is_refused() {
    let scratch = Scratch::new();
    let latin1 = scratch.file("latin1.log", b"2026-01-01 12:03:05 [ERROR] f\xfcr\n");
    let large = scratch.file("large.log", "");
    fs::File::options().write(true).open(&large).unwrap().set_len((4 << 20) + 1).unwrap();
    let missing = scratch.cases().join("missing.log");
    let mut told = String::new();
    for log in [latin1, large, missing, scratch.cases()] {
        let refused = scratch.replay(&["--from"], &[log]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        told += &refused.stderr.replace(scratch.cases().to_str().unwrap(), "CASES");
    }
    expect![[r#"
        tripline: error: CASES/latin1.log is not UTF-8, and a case is text; unpack or convert it first (zcat, iconv)
        tripline: error: CASES/large.log has 4194305 bytes, and a case holds 4194304 at most; take a part of it: tail -c 1M CASES/large.log > part.log
        tripline: error: cannot read CASES/missing.log: No such file or directory (os error 2)
        tripline: error: CASES is no file
    "#]].assert_eq(&told);
    // One without a line is a case: nothing happens.
    let empty = scratch.file("empty.log", "");
    let printed = scratch.replay(&["--now", "2026-01-01T00:00:30Z", "--from"], &[empty]);
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    assert!(printed.stdout.contains("alerts = []\n"), "{}", printed.stdout);
}
