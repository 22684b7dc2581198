//! The shapes of lines: stack traces, PostgreSQL's details, printed objects.
//!
//! What has none of these shapes is rather counted as unparsed than silently attached to a
//! stranger.

use crate::model::Trace;
use crate::parse::formats::postgresql;

/// How lines of stack traces and details start, with where they come from.
const KNOWN_STARTS: &[&str] = &[
    // Java, Kotlin, JavaScript, .NET.
    "at ",
    "Caused by:",
    "Wrapped by:",
    "Suppressed:",
    "Exception in thread ",
    "Unhandled exception",
    "Unhandled Exception",
    "--- End of",
    "---> ",
    // Python.
    "During handling of the above exception",
    "The above exception was the direct cause",
    "Exception ignored in",
    // Go.
    "panic(",
    "created by ",
    "exit status ",
    "runtime stack:",
    "...additional frames elided...",
    // Rust.
    "thread '",
    "thread panicked while ",
    "note: run with",
    "note: Some details are omitted",
    // Node.
    "Node.js v",
    "(node:",
    "(Use `node ",
    "Emitted '",
    // PHP.
    "Stack trace:",
    "PHP Stack trace:",
    // PostgreSQL, without the prefix that its log has.
    "DETAIL:",
    "HINT:",
    "QUERY:",
    "CONTEXT:",
    "STATEMENT:",
    "LOCATION:",
    "BACKTRACE:",
];

/// Lines that are nothing but this.
const KNOWN_LINES: &[&str] =
    &["stack backtrace:", "Stack backtrace:", "Location:", "Thrown at:", "Process terminated."];

/// How a stack trace of Go begins, in any of its parts.
const GO_STARTS: &[&str] = &[
    "panic: ",
    "fatal error: ",
    "goroutine ",
    "[signal ",
    "SIGQUIT: ",
    "SIGABRT: ",
    "SIGSEGV: ",
    "PC=0x",
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

/// Whether the shape of a line says that it continues an entry.
pub(super) fn continues(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b' ' | b'\t' | b'}' | b']' | b')') => true,
        Some(b'0'..=b'9' | b'<') => postgresql::continues(line),
        Some(b'.') if is_omitted_frames(line) => true,
        Some(b'#') => is_numbered_frame(line),
        Some(b'{' | b'^' | b'~') => consists_of(line, b"{[(") || consists_of(line, b"^~ \t"),
        Some(b'[') => consists_of(line, b"{[(") || is_exception(&line[1..]),
        Some(first) => {
            starts_with_one_of(line, KNOWN_STARTS)
                || KNOWN_LINES.iter().any(|known| line.trim_ascii_end() == known.as_bytes())
                || first.is_ascii_alphabetic() && is_frame_or_exception(line)
        }
    }
}

/// What a line begins of which the next lines are known only by their place.
pub(super) fn begins(line: &[u8]) -> Option<Trace> {
    if line.starts_with(b"Traceback (most recent call last)") {
        Some(Trace::Python)
    } else if starts_with_one_of(line, GO_STARTS) {
        Some(Trace::Go)
    } else if is_rust_panic(line) {
        Some(Trace::Rust)
    } else if is_source_place(line) {
        Some(Trace::Node)
    } else {
        None
    }
}

/// Whether a line is blank or begins with a blank.
pub(super) fn is_indented(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b' ' | b'\t'))
}

/// `queue.Empty`, `f.<locals>.Timeout: after 3 s`: a word, then nothing or a colon.
pub(super) fn is_python_exception(line: &[u8]) -> bool {
    let word = line.split(|byte| matches!(byte, b':' | b' ')).next().unwrap_or_default();
    let ends = line.len() == word.len() || line[word.len()..].starts_with(b":");
    ends && word
        .first()
        .is_some_and(|&byte| byte.is_ascii_alphabetic() || byte == b'_' || byte > 127)
}

/// `rax    0x0`, of Go.
pub(super) fn is_register(line: &[u8]) -> bool {
    let (name, rest) = line.split_at(line.iter().take_while(|b| b.is_ascii_alphanumeric()).count());
    let value = rest.trim_ascii().strip_prefix(b"0x");
    (2..=6).contains(&name.len())
        && rest.starts_with(b" ")
        && value.is_some_and(|value| value.iter().all(u8::is_ascii_hexdigit))
}

/// `thread 'main' panicked at src/main.rs:2:5:`, with the message on the next line. Before
/// Rust 1.73 the message stood in this one.
fn is_rust_panic(line: &[u8]) -> bool {
    line.ends_with(b":")
        && line.starts_with(b"thread '")
        && memchr::memmem::find(line, b" panicked at ").is_some()
}

/// `/srv/app/index.js:3`, `node:internal/process/promises:288`: Node prints the line that
/// stands there next.
fn is_source_place(line: &[u8]) -> bool {
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0
        && line[..line.len() - digits].ends_with(b":")
        && starts_with_one_of(line, &["/", "node:", "file:///"])
        && !line.contains(&b' ')
}

fn starts_with_one_of(line: &[u8], starts: &[&str]) -> bool {
    starts.iter().any(|start| line.starts_with(start.as_bytes()))
}

/// Whether a line has no other bytes but these.
fn consists_of(line: &[u8], bytes: &[u8]) -> bool {
    line.trim_ascii_end().iter().all(|byte| bytes.contains(byte))
}

/// A line of a stack trace that begins with a name.
fn is_frame_or_exception(line: &[u8]) -> bool {
    let caused = [&b"Next "[..], b"Uncaught "].iter().find_map(|word| line.strip_prefix(*word));
    is_exception(caused.unwrap_or(line)) || is_go_frame(line) || is_php_frame(line)
}

/// `PHP   2. main() /srv/app/index.php:17`
fn is_php_frame(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"PHP ") else { return false };
    let number = rest.trim_ascii_start();
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && number[digits..].starts_with(b". ")
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
thread panicked while processing panic. aborting.
stack backtrace:
Location:
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

System.InvalidOperationException: no elements
at Program.Main()
--- End of stack trace from previous location ---
App\Exception\NotFoundException: gone
ActiveRecord::StatementTimeoutError: canceled
Unhandled exception. System.InvalidOperationException: no elements
   --- End of inner exception stack trace ---
---> (Inner Exception #0) System.TimeoutException: canceled<---

node:internal/modules/cjs/loader:1080
^
Uncaught TypeError: x is not a function
[TypeError: x is not a function]
Node.js v22.4.0
(node:4711) UnhandledPromiseRejectionWarning: Error: closed
{
[{
}

PHP Stack trace:
PHP   1. {main}() /srv/app/index.php:0
PHP  12. main() /srv/app/index.php:17
Next RuntimeException: gone in /srv/app/index.php:7
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
{ level: 1 }
{}
[main] started
/srv/app is full: 3
/srv/app
http://example.org:80
PHP 8.3 started
Next please
\u{e9}t\u{e9}Error:";

    #[test]
    fn continuations() {
        for line in CONTINUATIONS.lines() {
            let line = line.as_bytes();
            assert!(continues(line) || begins(line).is_some(), "{:?}", line.escape_ascii());
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
            assert_eq!(begins(line.as_bytes()), None, "{line:?}");
        }
        assert!(!continues(b"\xFF\xFEError: x"));
    }
}
