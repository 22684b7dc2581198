//! From the lines of a log to what they are.

pub mod fingerprint;
pub mod levels;
pub mod text;
