//! What is looked for before a pattern is in every text that the pattern matches.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tripline::config::RuleConfig;
use tripline::store::pattern;

use crate::bench::{Bench, tick};
use crate::oracle::Rule;
use crate::scene::HOST;

/// Random patterns; some of them PostgreSQL cannot read.
const PATTERNS: usize = 600;
/// Random texts for each of them.
const TEXTS: usize = 2_000;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    pattern: String,
    #[diesel(sql_type = Nullable<Text>)]
    literal: Option<String>,
    #[diesel(sql_type = BigInt)]
    matched: i64,
    /// Texts that the pattern matches without having the literal.
    #[diesel(sql_type = Array<Text>)]
    without: Vec<String>,
}

#[test]
fn a_text_that_a_pattern_matches_has_its_literal() {
    let mut bench = Bench::new();
    let patterns = random(&patterns(), PATTERNS);
    let readable =
        |pattern: &&String| pattern::objection(&mut bench.connection, pattern).unwrap().is_none();
    let patterns: Vec<String> = patterns.iter().filter(readable).cloned().collect();
    let rule = |(number, pattern): (usize, &String)| RuleConfig {
        name: format!("rule{number}"),
        pattern: Some(pattern.clone()),
        ..Rule::default().config()
    };
    let rules: Vec<RuleConfig> = patterns.iter().enumerate().map(rule).collect();
    bench.sync(HOST, &rules, tick(0)).unwrap();
    let literals = diesel::sql_query(
        "select rule.pattern, rule.literals[1] as literal, count(*) as matched,
             array_remove(array_agg(case
                 when strpos(entry.text, rule.literals[1]) = 0 or entry.text not like rule.literals[2] then entry.text
             end), null) as without
         from alert_rules rule
         join unnest($1) as entry (text) on entry.text ~ rule.pattern
         where rule.pattern <> ''
         group by rule.id",
    )
    .bind::<Array<Text>, _>(random(&texts(), TEXTS))
    .load::<Found>(&mut bench.connection)
    .unwrap();
    for one in &literals {
        let Found { pattern, literal, without, .. } = one;
        assert!(without.is_empty(), "{pattern:?} matches {without:?}, which lack {literal:?}");
    }
    let known: Vec<&Found> = literals.iter().filter(|one| one.literal.is_some()).collect();
    let matched: i64 = known.iter().map(|one| one.matched).sum();
    assert!(known.len() > PATTERNS / 10 && matched > 1_000, "{} literals, {matched}", known.len());
}

const PLAIN: [&str; 7] = ["a", "b", "c", "é", " ", "ab", "}"];
const SPECIAL: [&str; 20] = [
    ".", "^", "$", "*", "+", "?", "*?", "{2}", "{0,1}", "{", "[ab]", "[^]a]", "(a)", "(b|c)?", "|",
    "\\.", "\\w", "(?:", ")", "\\",
];

fn patterns() -> impl Strategy<Value = String> {
    let begin =
        prop_oneof![20 => Just(""), 1 => Just("(?i)"), 1 => Just("***="), 1 => Just("***:")];
    let part = prop_oneof![3 => select(&PLAIN[..]), 1 => select(&SPECIAL[..])];
    (begin, vec(part, 1..=6)).prop_map(|(begin, parts)| begin.to_owned() + &parts.concat())
}

fn texts() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "b", "c", "é", " ", ".", "{", "}", "aa", "A"]);
    vec(part, 1..=12).prop_map(|parts| parts.concat())
}

fn random(of: &impl Strategy<Value = String>, many: usize) -> Vec<String> {
    let mut runner = TestRunner::default();
    (0..many).map(|_| of.new_tree(&mut runner).unwrap().current()).collect()
}
