//! `tripline rules check`

use diesel::connection::SimpleConnection;
use expect_test::{Expect, expect};

use crate::support::program::Setup;
use crate::{ALL_KINDS, printed, rules};

const OWN_VIEW: &str = "create view public.own_view as
    select 'a'::text as group_key, now() as started_at, now() as ended_at, 1 as measured";

/// A config with these rules.
fn setup(rules: &str) -> Setup {
    let setup = Setup::new();
    let sources = "[[source]]\nname = 'app'\npaths = ['LOGS/app.log']\n\
         [[source]]\nname = 'all'\npaths = ['LOGS/all/*.log']\nstore = ['INFO', 'ERROR', 'FATAL']\n";
    setup.config(&format!("{sources}{rules}"));
    setup
}

#[track_caller]
fn refused(setup: &Setup, expected: &Expect) {
    let before = setup.contents();
    let ran = rules(setup, "check");
    expected.assert_eq(ran.expect_failure(1));
    assert_eq!(setup.contents(), before);
}

#[test]
fn rules_of_every_kind_are_good() {
    let setup = Setup::new();
    setup.config(ALL_KINDS);
    setup.database.connect().batch_execute(OWN_VIEW).unwrap();
    let before = setup.contents();
    assert_eq!(printed(&setup, "check"), "12 rules are good\n");
    assert_eq!(setup.contents(), before);
    setup.config("host = 'web1'");
    assert_eq!(printed(&setup, "check"), "2 rules are good\n");
}

#[test]
fn each_pattern_is_tried_by_the_server() {
    let setup = setup(
        "[[rule]]
         name = 'a'
         kind = 'threshold'
         pattern = 'disk (full'
         exclude = ['fine', '[']
         count = 1
         within = '1m'
         [[rule]]
         name = 'b'
         kind = 'missing_follow_up'
         levels = ['ERROR']
         pattern = 'begins'
         follow_up = '*'
         within = '1m'
         [[rule]]
         name = 'c'
         kind = 'sequence'
         levels = ['ERROR']
         steps = ['a', 'b{2,1}', 'c']
         within = '1m'",
    );
    refused(
        &setup,
        &expect![[r#"
        tripline: error: rule "a": pattern 'disk (full': invalid regular expression: parentheses () not balanced
        tripline: error: rule "a": exclude '[': invalid regular expression: brackets [] not balanced
        tripline: error: rule "b": follow_up '*': invalid regular expression: quantifier operand invalid
        tripline: error: rule "c": steps 'b{2,1}': invalid regular expression: invalid repetition count(s)
    "#]],
    );
}

#[test]
fn what_is_grouped_by_must_be_captured() {
    let setup = setup(
        r"[[rule]]
         name = 'a'
         kind = 'threshold'
         pattern = 'from (\S+)'
         group_by = ['$1', '$2', '$3']
         count = 1
         within = '1m'
         [[rule]]
         name = 'whole'
         kind = 'threshold'
         pattern = 'from \S+'
         group_by = ['$1']
         count = 1
         within = '1m'
         [[rule]]
         name = 'b'
         kind = 'distinct'
         pattern = '(?:a)(b)(?=(c))'
         value = '$2'
         count = 1
         within = '1m'
         [[rule]]
         name = 'literal'
         kind = 'threshold'
         pattern = '***=(a)(b)'
         group_by = ['$2']
         count = 1
         within = '1m'
         [[rule]]
         name = 'commented'
         kind = 'threshold'
         pattern = '(?x)(a) (b) # (c)'
         group_by = ['$2']
         count = 1
         within = '1m'
         [[rule]]
         name = 'steps'
         kind = 'sequence'
         levels = ['ERROR']
         steps = ['(a)(b)', '(a)']
         group_by = ['$2']
         within = '1m'",
    );
    refused(
        &setup,
        &expect![[r#"
        tripline: error: rule "a": pattern 'from (\S+)': it has no parentheses number 2, which group_by needs for $2
        tripline: error: rule "a": pattern 'from (\S+)': it has no parentheses number 3, which group_by needs for $3
        tripline: error: rule "b": pattern '(?:a)(b)(?=(c))': it has no parentheses number 2, which value needs for $2
        tripline: error: rule "literal": pattern '***=(a)(b)': it has no parentheses number 2, which group_by needs for $2
        tripline: error: rule "steps": steps '(a)': it has no parentheses number 2, which group_by needs for $2
    "#]],
    );
}

#[test]
fn a_view_must_be_there_with_its_columns() {
    let views = ["none", "no_columns", "wrong_types", "not a name", "whole"];
    let rule = |view: &&str| format!("[[rule]]\nname = 'r-{view}'\nkind = 'sql'\nview = '{view}'");
    let rules: Vec<String> = views.iter().map(rule).collect();
    let setup = setup(&rules.join("\n"));
    setup
        .database
        .connect()
        .batch_execute(
            "create view no_columns as select 1 as measured;
             create view wrong_types as
                 select 1 as group_key, timestamp '2026-01-15' as started_at, 1 as ended_at, '1' as measured;
             create view whole as
                 select 1 as group_key, now() as started_at, now() as ended_at, 1.5::real as measured",
        )
        .unwrap();
    refused(
        &setup,
        &expect![[r#"
            tripline: error: rule "r-none": view 'none': there is no such view in the database
            tripline: error: rule "r-no_columns": view 'no_columns': it has no column group_key, it has no column started_at, it has no column ended_at; it must have group_key, started_at, ended_at and measured
            tripline: error: rule "r-wrong_types": view 'wrong_types': its column started_at is timestamp without time zone, not timestamp with time zone, its column ended_at is integer, not timestamp with time zone, its column measured is text, not a number; it must have group_key, started_at, ended_at and measured
            tripline: error: rule "r-not a name": view 'not a name': there is no such view in the database
        "#]],
    );
}

#[test]
fn a_name_that_can_be_none_of_a_view_stops_no_other_rule() {
    let setup = setup(
        "[[rule]]
         name = 'a'
         kind = 'sql'
         view = 'not a name'
         [[rule]]
         name = 'b'
         kind = 'threshold'
         count = 1
         within = '1m'",
    );
    setup.write("app.log", "2026-01-15 11:59:59 [ERROR] disk full\n");
    std::fs::create_dir(setup.path("all")).unwrap();
    let ran = setup.run(["run"]);
    assert!(ran.stdout.starts_with("FIRED"), "{ran:?}");
    expect![[r#"
        tripline: error: rule "a": there is no view "not a name" in the database
    "#]]
    .assert_eq(&ran.stderr);
    assert!(printed(&setup, "explain a").contains("\nnot a name is no view of the database\n"));
    assert_eq!(printed(&setup, "list").lines().count(), 3);
}

#[test]
fn levels_that_none_of_its_sources_stores_are_refused() {
    let setup = setup(
        "[[rule]]
         name = 'a'
         kind = 'threshold'
         levels = ['INFO']
         sources = ['all']
         count = 1
         within = '1m'
         [[rule]]
         name = 'b'
         kind = 'threshold'
         levels = ['INFO']
         sources = ['app']
         count = 1
         within = '1m'",
    );
    let ran = rules(&setup, "check");
    let said = ran.expect_failure(2);
    assert!(
        said.contains(
            "18:19: levels needs entries of level INFO, which none of its sources stores"
        ),
        "{said}"
    );
}

#[test]
fn machines_are_told_of_each_rule() {
    let setup = setup(
        "[[rule]]
         name = 'a'
         kind = 'threshold'
         pattern = '('
         count = 1
         within = '1m'
         [[rule]]
         name = 'b'
         kind = 'threshold'
         count = 1
         within = '1m'",
    );
    let ran = rules(&setup, "check --json");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    expect![[r#"
        {
          "rules": [
            {
              "name": "a",
              "passed": false,
              "problems": [
                {
                  "key": "pattern",
                  "value": "(",
                  "message": "invalid regular expression: parentheses () not balanced"
                }
              ]
            },
            {
              "name": "b",
              "passed": true,
              "problems": []
            }
          ],
          "channels": []
        }
    "#]]
    .assert_eq(&ran.stdout);
}

#[test]
fn an_empty_database_stays_empty() {
    let setup = Setup::new();
    setup
        .database
        .connect()
        .batch_execute("drop schema public cascade; create schema public")
        .unwrap();
    assert_eq!(printed(&setup, "check"), "2 rules are good\n");
    assert_eq!(printed(&setup, "list").lines().count(), 3);
    let tables =
        "select count(*)::text as value from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(setup.value(tables), "0");
}
