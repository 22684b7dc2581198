//! Which lines continue the entry before them.
//!
//! Asked only of lines that start no entry. Most are known by their shape alone ([`shape`]).
//! A few are known only by what stands before them, such as the last line of a Python
//! traceback: what has begun is kept as a [`Trace`] from line to line, over chunks and runs.

mod shape;

use memchr::memchr_iter;

use crate::model::{Multiline, Trace};

/// Which lines belong together, and what the lines so far say about the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Continuations {
    /// How the source wants it.
    pub(super) multiline: Multiline,
    /// What has begun and may go on with the next line.
    pub(super) trace: Option<Trace>,
}

impl Continuations {
    /// Whether a line may start an entry, as far as a pattern of the config decides that;
    /// `None` where none does.
    pub(super) fn pattern_says(&self, line: &[u8]) -> Option<bool> {
        match &self.multiline {
            Multiline::Start(pattern) => Some(pattern.is_in(line)),
            Multiline::Continue(pattern) => Some(!pattern.is_in(line)),
            Multiline::Auto | Multiline::None | Multiline::Indent => None,
        }
    }

    /// Whether a pattern of the config decides.
    pub(super) fn have_pattern(&self) -> bool {
        matches!(self.multiline, Multiline::Start(_) | Multiline::Continue(_))
    }

    /// Takes the message of a line that starts an entry, and what its format says has begun.
    #[inline]
    pub(super) fn head(&mut self, message: &[u8], begun: Option<Trace>) {
        // Everything that begins in a message ends in a colon: one comparison for most lines.
        let may_begin = message.ends_with(b":") && matches!(self.multiline, Multiline::Auto);
        self.trace = if may_begin { shape::begins(message) } else { begun };
    }

    /// Whether a line, which starts no entry, continues the one before it, where no pattern
    /// decides.
    pub(super) fn continues(&mut self, line: &[u8]) -> bool {
        match self.multiline {
            Multiline::Auto => self.continues_by_shape(line),
            Multiline::Indent => shape::is_indented(line),
            Multiline::None | Multiline::Start(_) | Multiline::Continue(_) => false,
        }
    }

    fn continues_by_shape(&mut self, line: &[u8]) -> bool {
        match self.trace {
            Some(Trace::Quoted) => {
                if memchr_iter(b'"', line).count() % 2 == 1 {
                    self.trace = None;
                }
                return true;
            }
            Some(Trace::Rust | Trace::Node) => {
                self.trace = None;
                return true;
            }
            _ if shape::is_indented(line) => return true,
            Some(Trace::Python) if shape::is_python_exception(line) => {
                self.trace = None;
                return true;
            }
            Some(Trace::Go) if shape::is_register(line) => return true,
            _ => {}
        }
        let begins = shape::begins(line);
        let continues = begins.is_some() || shape::continues(line);
        let goes_on = continues && self.trace == Some(Trace::Go);
        self.trace = begins.or(goes_on.then_some(Trace::Go));
        continues
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line with what becomes of it: `+` continues, `-` does not.
    #[track_caller]
    fn check(after: &str, lines: &str) {
        let mut continuations = Continuations::default();
        continuations.head(after.as_bytes(), None);
        for line in lines.lines() {
            let (expected, line) = line.split_at(1);
            let found = if continuations.continues(line.as_bytes()) { "+" } else { "-" };
            assert_eq!(found, expected, "{line:?} after {:?}", continuations.trace);
        }
    }

    #[test]
    fn the_last_line_of_a_python_traceback_may_have_any_name() {
        check(
            "job failed",
            "\
-shop.Empty: no stock
+Traceback (most recent call last):
+  File \"app.py\", line 3, in <module>
+    raise Empty('no stock')
+
+shop.f.<locals>.Empty: no stock
-shop.Empty: no stock
+
+During handling of the above exception, another exception occurred:
+
+Traceback (most recent call last):
+  File \"app.py\", line 5, in <module>
+StopIteration
-StopIteration",
        );
        check(
            "Traceback (most recent call last):",
            "+  File \"x\", line 1\n+queue.Full\n-queue.Full",
        );
        check("x", "+Traceback (most recent call last):\n-order 17 placed: yes\n-queue.Full");
    }

    #[test]
    fn the_message_of_a_rust_panic_is_one_line_of_any_text() {
        check(
            "x",
            "\
+thread 'main' panicked at src/main.rs:2:5:
+called `Option::unwrap()` on a `None` value
-called `Option::unwrap()` on a `None` value
+thread 'worker' (4711) panicked at src/main.rs:2:5:
+
-not the message
+note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        );
        check("thread 'main' panicked at src/main.rs:2:5:", "+disk full\n-disk full");
        check("x", "+thread 'main' panicked at 'disk full', src/main.rs:2:5\n-disk full");
    }

    #[test]
    fn a_source_line_of_node_follows_its_place() {
        check(
            "x",
            "\
+/srv/app/index.js:3
+throw new Error('x');
+^
+
+Error: x
-throw new Error('x');
+node:internal/process/promises:288
+            triggerUncaughtException(err, true);
+            ^",
        );
    }

    #[test]
    fn the_registers_of_go_follow_its_frames() {
        check(
            "x",
            "\
-rax    0x0
+SIGQUIT: quit
+PC=0x46ab31 m=0 sigcode=0
+
+goroutine 1 [running]:
+main.main()
+	/srv/app/main.go:12 +0x1d
+rax    0x0
+r10    0xc000118000
-rax is 0x0
-rax    0x0",
        );
    }

    #[test]
    fn what_is_indented_continues_where_only_that_does() {
        let mut continuations =
            Continuations { multiline: Multiline::Indent, ..Continuations::default() };
        for (line, expected) in
            [("  at x", true), ("\tat x", true), ("", true), ("Caused by: x", false), ("}", false)]
        {
            assert_eq!(continuations.continues(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn nothing_continues_where_every_line_stands_alone() {
        let mut continuations =
            Continuations { multiline: Multiline::None, ..Continuations::default() };
        continuations.head(b"Traceback (most recent call last):", None);
        for line in ["  at x", "", "queue.Full"] {
            assert!(!continuations.continues(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn an_entry_ends_what_the_one_before_it_began() {
        let mut continuations = Continuations::default();
        continuations.continues(b"thread 'main' panicked at src/main.rs:2:5:");
        assert_eq!(continuations.trace, Some(Trace::Rust));
        continuations.head(b"next", None);
        assert_eq!(continuations.trace, None);
        assert!(!continuations.continues(b"disk full"));
    }
}
