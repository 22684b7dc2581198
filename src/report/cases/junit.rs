//! The XML of `JUnit`, as Jenkins, GitLab and others read it: a `testcase` for each case, in it a
//! `failure` where something was not as expected, an `error` where the case could not be run.

use std::io::{self, Write};
use std::time::Duration;

use super::{CaseResult, Details, details, summary};

/// Writes all cases as one test suite.
///
/// # Errors
/// When the output takes nothing.
pub fn write(cases: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let is_error = |case: &&CaseResult| matches!(case.details, Details::Error(_));
    let errors = cases.iter().filter(is_error).count();
    let failures = cases.iter().filter(|case| !case.passed).count() - errors;
    let seconds: Duration = cases.iter().map(|case| case.took).sum();
    let figures = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\"",
        cases.len(),
        time(seconds)
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"tripline\" {figures}>")?;
    writeln!(out, "  <testsuite name=\"replay\" {figures} skipped=\"0\">")?;
    for case in cases {
        write!(
            out,
            "    <testcase classname=\"replay\" name=\"{}\" file=\"{}\" time=\"{}\"",
            escaped(&case.name),
            escaped(&case.path),
            time(case.took)
        )?;
        if case.passed {
            writeln!(out, "/>")?;
            continue;
        }
        let kind = if is_error(&case) { "error" } else { "failure" };
        writeln!(out, ">")?;
        write!(out, "      <{kind} message=\"{}\">", escaped(&summary(case)))?;
        write!(out, "{}", escaped(&details(&case.details).join("\n")))?;
        writeln!(out, "</{kind}>")?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>")?;
    writeln!(out, "</testsuites>")
}

/// Seconds with their thousandths.
fn time(took: Duration) -> String {
    format!("{:.3}", took.as_secs_f64())
}

/// Text for an attribute or an element. What XML 1.0 cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::three;
    use super::write;
    use expect_test::expect;

    #[test]
    fn each_case_is_a_test_case() {
        let mut out = Vec::new();
        write(&three(), &mut out).unwrap();
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="tripline" tests="3" failures="1" errors="1" time="3.702">
              <testsuite name="replay" tests="3" failures="1" errors="1" time="3.702" skipped="0">
                <testcase classname="replay" name="passes" file="cases/passes" time="1.234"/>
                <testcase classname="replay" name="a &quot;b&quot; #1 &lt;\&gt;" file="cases/a &quot;b&quot; #1 &lt;\&gt;" time="1.234">
                  <failure message="1 not as expected: fired">step 2, run at 2026-01-01T00:01:00Z (cases/x/case.toml:9)
              fired
              - fatal, measured 3
              + fatal, measured 1 (on &lt;a&amp;b&gt;\u{1b}[2J)</failure>
                </testcase>
                <testcase classname="replay" name="none" file="cases/none" time="1.234">
                  <error message="is wrong: line 1">is wrong: line 1
              |
            1 | x</error>
                </testcase>
              </testsuite>
            </testsuites>
        "#]].assert_eq(&String::from_utf8(out).unwrap());
    }
}
