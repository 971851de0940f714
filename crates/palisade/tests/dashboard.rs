//! The dashboard: who gets in, what they see, and that pages say what endpoints and Firewall Manager's
//! operations say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what a test cannot go on without"
)]

#[path = "dashboard/doors.rs"]
mod doors;
#[path = "dashboard/editor.rs"]
mod editor;
#[path = "dashboard/forms.rs"]
mod forms;
#[path = "dashboard/hostile.rs"]
mod hostile;
#[path = "dashboard/moments.rs"]
mod moments;
#[path = "dashboard/sessions.rs"]
mod sessions;
#[path = "dashboard/site.rs"]
mod site;
mod support;
#[path = "dashboard/walk.rs"]
mod walk;
#[path = "dashboard/weight.rs"]
mod weight;
