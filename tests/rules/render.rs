//! `tripline rules render`, and what `rules check` says of templates.

use expect_test::{Expect, expect};

use crate::support::program::Setup;

const CONFIG: &str = "host = 'web1'
[[source]]
name = 'app'
paths = ['LOGS/app.log']
[[rule]]
name = 'any'
kind = 'threshold'
count = 1
within = '5m'
summary = '{{ count }} broken things on {{ source }}'
[[channel]]
name = 'chat'
type = 'webhook'
url_env = 'NOT_SET'
body = '{ \"text\": \"{{ title }}\" }'
title = '{{ severity|upper }} {{ summary }}'
text = 'see {{ show }}'
[[channel]]
name = 'plain'
type = 'stdout'
";

fn check<const N: usize>(setup: &Setup, arguments: [&str; N], expected: &Expect) {
    let ran = setup.run(arguments);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    expected.assert_eq(&said.replace(&setup.folder.path().display().to_string(), "LOGS"));
}

#[test]
fn a_message_is_shown_as_the_channel_would_send_it() {
    let setup = Setup::new();
    setup.config(CONFIG);
    check(
        &setup,
        ["rules", "render", "any"],
        &expect![[r#"
        about  a made-up alert: none of this rule was told so far
        line   FIRED: warning any (alert 0) on /var/log/example.log: 1 broken things on /var/log/example.log, since 2026-01-15 12:00:00 +00:00: an example: the disk is full
        title  FIRED warning any on /var/log/example.log: 1 broken things on /var/log/example.log
        text   1 broken things on /var/log/example.log
               rule: any (threshold)
               where: /var/log/example.log, read on web1
               since: 2026-01-15 12:00:00 +00:00
               more: tripline alerts show 0

               The newest entries:
               2026-01-15 12:00:00 +00:00 ERROR an example: the disk is full
    "#]],
    );
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the \x1b[31mdisk is full\n");
    setup.run(["run"]);
    let before = setup.contents();
    check(
        &setup,
        ["rules", "render", "any", "--channel", "chat"],
        &expect![[r#"
        about  alert 1
        line   FIRED: warning any (alert 1) on app (LOGS/app.log): 1 broken things on app, since 2026-01-15 11:59:00 +00:00: the disk is full
        title  WARNING 1 broken things on app
        text   see tripline alerts show 1
        body   {
                 "text": "WARNING 1 broken things on app"
               }
    "#]],
    );
    check(
        &setup,
        ["rules", "render", "any", "--channel", "plain"],
        &expect![[r#"
        about  alert 1
        line   FIRED: warning any (alert 1) on app (LOGS/app.log): 1 broken things on app, since 2026-01-15 11:59:00 +00:00: the disk is full
        title  FIRED warning any on app (LOGS/app.log): 1 broken things on app
        text   1 broken things on app
               rule: any (threshold)
               where: app (LOGS/app.log), read on web1
               since: 2026-01-15 11:59:00 +00:00
               more: tripline alerts show 1

               The newest entries:
               2026-01-15 11:59:00 +00:00 ERROR the disk is full
    "#]],
    );
    check(
        &setup,
        ["rules", "render", "any", "--channel", "cat"],
        &expect![[r#"
        tripline: error: there is no channel "cat" in the config; did you mean "chat"?
    "#]],
    );
    assert_eq!(setup.contents(), before);
}

#[test]
fn a_broken_template_falls_back_and_says_so() {
    let setup = Setup::new();
    let config = CONFIG
        .replace("{{ count }} broken", "{{ cuont }} broken")
        .replace("'see {{ show }}'", "'see {{ show'")
        .replace(
            "{{ severity|upper }}",
            "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        );
    setup.config(&config);
    check(
        &setup,
        ["rules", "render", "any", "--channel", "chat"],
        &expect![[r#"
            about  a made-up alert: none of this rule was told so far
            line   FIRED: warning any (alert 0) on /var/log/example.log:  broken things on /var/log/example.log, since 2026-01-15 12:00:00 +00:00: an example: the disk is full
            title  FIRED warning any on /var/log/example.log:  broken things on /var/log/example.log
            text    broken things on /var/log/example.log
                   rule: any (threshold)
                   where: /var/log/example.log, read on web1
                   since: 2026-01-15 12:00:00 +00:00
                   more: tripline alerts show 0

                   The newest entries:
                   2026-01-15 12:00:00 +00:00 ERROR an example: the disk is full
            body   {
                     "text": "FIRED warning any on /var/log/example.log:  broken things on /var/log/example.log"
                   }
            tripline: warn: a template of a channel cannot be rendered, so the default is sent: engine ran out of fuel (in <string>:1)
            tripline: warn: a template of a channel cannot be rendered, so the default is sent: syntax error: unexpected end of input, expected end of variable block (in <string>:1)
        "#]],
    );
    check(
        &setup,
        ["rules", "check"],
        &expect![[r#"
        tripline: error: rule "any": summary '{{ cuont }} broken things on {{ source }}': knows no cuont; there is count, threshold, within, levels, rule, kind, severity, source, group, runbook, started_at
        tripline: error: channel "chat": text 'see {{ show': syntax error: unexpected end of input, expected end of variable block (in <string>:1)
    "#]],
    );
    assert_eq!(setup.run(["rules", "check"]).code, Some(1));
}
