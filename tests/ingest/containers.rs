//! Logs of container runtimes: the lines in them, over runs too.

use crate::support::program::Setup;

/// A line of Docker's log.
fn docker(stream: &str, second: u32, text: &str) -> String {
    format!(
        "{{\"log\":{},\"stream\":\"{stream}\",\"time\":\"2026-01-15T11:00:{second:02}.5Z\"}}\n",
        serde_json::to_string(text).unwrap()
    )
}

#[test]
fn the_pieces_of_a_split_line_belong_together_over_runs() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = ['LOGS/app.log']\nformat = 'docker'\n");
    let json = "{\"level\":\"error\",\"order\":17,\"msg\":\"the first piece, ";
    setup.write("app.log", docker("stdout", 1, json));
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR the first piece, "]);
    setup.append("app.log", docker("stdout", 1, "the second, "));
    setup.ingest();
    setup.append("app.log", docker("stdout", 1, "the last\"}\n"));
    setup.append("app.log", docker("stderr", 2, "[error] whole\n"));
    setup.ingest();
    assert_eq!(
        setup.entries(),
        ["ERROR the first piece, the second, the last\"}", "ERROR [error] whole"]
    );
    let fields = setup.rows("select fields::text as value from log_entries order by line_no");
    assert_eq!(fields, [r#"{"order": 17, "stream": "stdout"}"#, r#"{"stream": "stderr"}"#]);
}

#[test]
fn a_trace_in_a_container_is_one_entry_over_runs() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = ['LOGS/app.log']\nformat = 'cri'\n");
    setup.write(
        "app.log",
        "2026-01-15T11:00:01.5Z stderr F ERROR order 17 failed\n\
         2026-01-15T11:00:01.5Z stderr F java.lang.IllegalStateException: no stock\n",
    );
    setup.ingest();
    setup.append(
        "app.log",
        "2026-01-15T11:00:01.5Z stderr F \tat com.example.Orders.place(Orders.java:17)\n\
         2026-01-15T11:00:01.5Z stderr F Traceback (most recent call last):\n",
    );
    setup.ingest();
    setup.append("app.log", "2026-01-15T11:00:01.5Z stderr F shop.Empty: x\n");
    setup.ingest();
    assert_eq!(
        setup.entries(),
        ["ERROR ERROR order 17 failed\njava.lang.IllegalStateException: no stock\n\tat \
          com.example.Orders.place(Orders.java:17)\nTraceback (most recent call \
          last):\nshop.Empty: x"]
    );
}

#[test]
fn a_text_in_quotes_goes_on_over_runs() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = ['LOGS/app.log']\nformat = 'postgresql_csv'\n");
    let record = |level: &str, message: &str| {
        format!(
            "2026-01-15 11:00:01.5 UTC,\"a\",\"b\",600,\"[local]\",6383b33a.258,6,\"SELECT\",\
             2026-01-15 11:00:00 UTC,4/252,0,{level},42703,\"{message}"
        )
    };
    setup.write("app.log", record("ERROR", "one\ntwo, \"\"quoted\"\"\n"));
    setup.ingest();
    setup.append("app.log", "three\",,,\nneither\n");
    setup.append("app.log", record("ERROR", "four\"\n"));
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one\ntwo, \"\"quoted\"\"\nthree\",,,", "ERROR four"]);
}
