//! One attempt to get one message to its place, which ends in time whatever the other side does.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::content::Message;
use super::failure::Failure;
use crate::duration;

/// How a message gets to its place. Whoever implements it keeps to `patience` where it can;
/// where it cannot, it is left behind.
pub(super) trait Channel: Send + Sync {
    /// Delivers the message, and returns what the other side had to say besides.
    ///
    /// # Errors
    /// Why it was not delivered, without secrets.
    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure>;

    /// What would be sent, as text; `None` where that is no more than headline and text.
    fn preview(&self, _message: &Message) -> Option<String> {
        None
    }

    /// What the other side said when it took the last message, for who tries a channel.
    fn answer(&self) -> Option<String> {
        None
    }
}

/// What a channel that keeps to its time needs to say so itself.
const GRACE: Duration = Duration::from_millis(500);

/// Sends a message, for no longer than `patience` and a moment.
///
/// It is done in a thread of its own, which nobody waits for after that: a server that sends one
/// byte a second would keep us as long as it likes otherwise. It ends with the process.
pub(super) fn send_within(
    channel: &Arc<dyn Channel>,
    message: Message,
    patience: Duration,
) -> Result<Option<String>, Failure> {
    let (outcome, outcomes) = mpsc::channel();
    let channel = Arc::clone(channel);
    let thread = thread::Builder::new().name("send".to_owned()).spawn(move || {
        // Nobody listens any more where it took too long.
        let _ = outcome.send(channel.send(&message, patience));
    });
    if let Err(error) = thread {
        return Err(Failure::of_channel(&format!("cannot start a thread: {error}")));
    }
    match outcomes.recv_timeout(patience + GRACE) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(no_answer(patience)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(Failure::of_message("sending it ended unexpectedly; please report this"))
        }
    }
}

/// The other side took too long.
pub(super) fn no_answer(patience: Duration) -> Failure {
    let patience = chrono::TimeDelta::from_std(patience).unwrap_or_default();
    Failure::of_channel(&format!("no answer within {}", duration::display(patience)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A channel that never answers, or dies.
    struct Bad {
        never: mpsc::Sender<()>,
        dies: bool,
    }

    impl Channel for Bad {
        fn send(&self, _: &Message, _: Duration) -> Result<Option<String>, Failure> {
            assert!(!self.dies, "this channel dies");
            let (_kept, receiver) = mpsc::channel::<()>();
            let _ = receiver.recv();
            let _ = self.never.send(());
            Ok(None)
        }
    }

    fn outcome(dies: bool) -> Failure {
        let (never, _) = mpsc::channel();
        let message = Message {
            key: "k".into(),
            title: String::new(),
            text: String::new(),
            notifications: vec![],
            sent_at: chrono::DateTime::UNIX_EPOCH,
            is_own_title: false,
            is_own_text: false,
        };
        let channel: Arc<dyn Channel> = Arc::new(Bad { never, dies });
        send_within(&channel, message, Duration::from_secs(1)).unwrap_err()
    }

    #[test]
    fn a_channel_that_never_answers_is_left_behind() {
        assert_eq!(outcome(false).reason, "no answer within 1s");
    }

    #[test]
    fn a_channel_that_dies_takes_nothing_with_it() {
        let failure = outcome(true);
        assert!(failure.is_about_message && failure.reason.contains("unexpectedly"), "{failure:?}");
    }
}
