//! The program as its users run it: command lines in, exit codes and texts out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test"
)]

#[path = "cli/asking.rs"]
mod asking;
#[path = "cli/checking.rs"]
mod checking;
#[path = "cli/knowing.rs"]
mod knowing;
#[path = "cli/onboarding.rs"]
mod onboarding;
#[path = "cli/serving.rs"]
mod serving;
#[path = "cli/usage.rs"]
mod usage;
#[path = "cli/world.rs"]
mod world;
