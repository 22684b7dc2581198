//! The Test Anything Protocol, version 14: a line for each case, and below it, where something
//! was not as expected, what that was.

use std::io::{self, Write};

use super::{CaseResult, details};

/// Writes what comes before the first case.
///
/// # Errors
/// When the output takes nothing.
pub fn write_head(cases: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{cases}")
}

/// Writes what came of the case with this number, from 1.
///
/// # Errors
/// When the output takes nothing.
pub fn write_case(number: usize, case: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    let result = if case.passed { "ok" } else { "not ok" };
    writeln!(out, "{result} {number} - {}", escaped(&case.name))?;
    if !case.passed {
        writeln!(out, "  ---")?;
        writeln!(out, "  at: {}", serde_json::to_string(&case.path)?)?;
        writeln!(out, "  differences: |2")?;
        for line in details(&case.details) {
            writeln!(out, "    {line}")?;
        }
        writeln!(out, "  ...")?;
    }
    out.flush()
}

/// A name: `#` would begin a directive, and a line feed the next line.
fn escaped(name: &str) -> String {
    let name = crate::visible::line(name, 500);
    name.replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::super::tests::three;
    use super::*;
    use expect_test::expect;

    #[test]
    fn each_case_is_a_line() {
        let mut out = Vec::new();
        let cases = three();
        write_head(cases.len(), &mut out).unwrap();
        for (number, case) in (1..).zip(&cases) {
            write_case(number, case, &mut out).unwrap();
        }
        expect![[r#"
            TAP version 14
            1..3
            ok 1 - passes
            not ok 2 - a "b" \#1 <\\>
              ---
              at: "cases/a \"b\" #1 <\\>"
              differences: |2
                step 2, run at 2026-01-01T00:01:00Z (cases/x/case.toml:9)
                  fired
                  - fatal, measured 3
                  + fatal, measured 1 (on <a&b>\u{1b}[2J)
              ...
            not ok 3 - none
              ---
              at: "cases/none"
              differences: |2
                is wrong: line 1
                  |
                1 | x
              ...
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
