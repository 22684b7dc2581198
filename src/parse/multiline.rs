//! Which lines continue the entry before them.
//!
//! Asked only of lines that start no entry. The answer goes by the shape of the line alone:
//! indented and blank lines, closing brackets, and the lines that stack traces and
//! PostgreSQL's details consist of. What has none of these shapes is rather counted as
//! unparsed than silently attached to a stranger.

/// How lines of stack traces and details start, with where they come from.
const KNOWN_STARTS: &[&str] = &[
    // Java, Kotlin, JavaScript, .NET.
    "at ",
    "Caused by:",
    "Suppressed:",
    "Exception in thread ",
    "--- End of",
    // Python.
    "Traceback (most recent call last)",
    "During handling of the above exception",
    "The above exception was the direct cause",
    // Go.
    "panic: ",
    "panic(",
    "fatal error: ",
    "[signal ",
    "goroutine ",
    "created by ",
    "exit status ",
    // Rust.
    "thread '",
    "stack backtrace:",
    "note: run with",
    // PHP.
    "Stack trace:",
    // PostgreSQL.
    "DETAIL:",
    "HINT:",
    "QUERY:",
    "CONTEXT:",
    "STATEMENT:",
    "LOCATION:",
];

/// How the names of exceptions end, in Java, Python, JavaScript, .NET, PHP and Ruby.
const EXCEPTION_ENDINGS: &[&str] = &[
    "Error",
    "Exception",
    "Warning",
    "Exit",
    "Interrupt",
    "Failure",
    "Fault",
    "Throwable",
    "Panic",
];

/// Whether a line, which starts no entry, continues the one before it.
pub(super) fn continues(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b' ' | b'\t' | b'}' | b']' | b')') => true,
        Some(b'.') => is_omitted_frames(line),
        Some(b'#') => is_numbered_frame(line),
        Some(first) => {
            KNOWN_STARTS.iter().any(|start| line.starts_with(start.as_bytes()))
                || first.is_ascii_alphabetic() && (is_exception(line) || is_go_frame(line))
        }
    }
}

/// `... 12 more`, of Java.
fn is_omitted_frames(line: &[u8]) -> bool {
    line.strip_prefix(b"... ").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

/// `#0 /srv/app/index.php(17): main()`, of PHP and of debuggers.
fn is_numbered_frame(line: &[u8]) -> bool {
    let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && line[1 + digits..].starts_with(b" ")
}

/// `java.lang.IllegalStateException: text`, `KeyError`, `ActiveRecord::StatementFault: text`.
fn is_exception(line: &[u8]) -> bool {
    let (name, rest) = line.split_at(name_length(line));
    let ends = rest.starts_with(b":") || rest.trim_ascii_start().is_empty();
    ends && EXCEPTION_ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// The length of a name whose parts are joined by `.`, `::` or `\`.
fn name_length(line: &[u8]) -> usize {
    let mut length = 0;
    while let Some(&byte) = line.get(length) {
        if byte.is_ascii_alphanumeric() || b"_$.\\".contains(&byte) {
            length += 1;
        } else if line[length..].starts_with(b"::") {
            length += 2;
        } else {
            break;
        }
    }
    length
}

/// `net/http.(*conn).serve(0xc000118000, {0x7b2f58?, 0x1})`: a path with a dot in it, then
/// arguments, which are hexadecimal words, nested in braces, or left out as `...`.
fn is_go_frame(line: &[u8]) -> bool {
    let Some(call) = line.trim_ascii_end().strip_suffix(b")") else { return false };
    let Some(open) = memchr::memrchr(b'(', call) else { return false };
    let (path, arguments) = (&call[..open], &call[open + 1..]);
    path.contains(&b'.')
        && !path.contains(&b' ')
        && arguments.iter().all(|byte| byte.is_ascii_hexdigit() || b"x{}?_., ".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as the runtimes print them, one trace a block.
    const CONTINUATIONS: &str = r#"
	at com.example.Main.run(Main.java:17)
java.lang.IllegalStateException: closed
Exception in thread "main" java.lang.NullPointerException
Caused by: java.io.IOException: broken pipe
Suppressed: java.lang.Exception
... 12 more
... 3 common frames omitted
com.example.App$Inner$StoppedException:
java.lang.StackOverflowError

Traceback (most recent call last):
  File "app.py", line 3, in <module>
ValueError: invalid literal
KeyError
requests.exceptions.ConnectionError: refused
KeyboardInterrupt
During handling of the above exception, another exception occurred:
The above exception was the direct cause of the following exception:

panic: runtime error: index out of range
fatal error: all goroutines are asleep - deadlock!
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f4a5]
goroutine 1 [running]:
panic({0x4b0e60?, 0xc000014250?})
main.main()
main.handler(0xc000118000)
net/http.(*conn).serve(0xc000118000, {0x7b2f58?, 0xc0000a2a50})
github.com/example/app.Load(...)
created by main.main in goroutine 1
exit status 2

thread 'main' panicked at src/main.rs:2:5:
stack backtrace:
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

System.InvalidOperationException: no elements
at Program.Main()
--- End of stack trace from previous location ---
App\Exception\NotFoundException: gone
ActiveRecord::StatementTimeoutError: canceled
Stack trace:
#0 /srv/app/index.php(17): main()
#12 {main}

DETAIL:  Key (id)=(7) already exists.
HINT:  See server log.
STATEMENT:  insert into t values (7)
CONTEXT:  while inserting index tuple
}
]
),
"#;

    const NOT_CONTINUATIONS: &str = "\
garbage line here
2026-01-01 00:00:05 no level
Errors: 7
the last error
Error in the middle: no
attention
...
... more
#
#tag
#1
call(0xc0)
f(x) = 2 (approx.)
see main.rs (line 7)
-- a comment
--- a/file
<xml>
{
\u{e9}t\u{e9}Error:";

    #[test]
    fn continuations() {
        for line in CONTINUATIONS.lines() {
            assert!(continues(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn blank_lines_continue() {
        for line in ["", " ", "\t", "  \t "] {
            assert!(continues(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn other_lines_do_not() {
        for line in NOT_CONTINUATIONS.lines() {
            assert!(!continues(line.as_bytes()), "{line:?}");
        }
        assert!(!continues(b"\xFF\xFEError: x"));
    }
}
