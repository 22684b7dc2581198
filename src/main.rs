//! The program's entry: arguments, logger, clock, exit code.

fn main() {}
