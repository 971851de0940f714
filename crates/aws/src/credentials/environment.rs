//! An environment, and the kinds of sources of credentials that it may have.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio_rustls::rustls::RootCertStore;

/// Variables and home folder, as they were when the program began. The variables are not printed.
#[derive(Clone)]
pub struct Environment {
    /// The variables.
    pub variables: HashMap<String, String>,
    /// The folder in which `.aws` is looked for.
    pub home: Option<PathBuf>,
    /// Whom to trust where a source speaks TLS.
    pub roots: RootCertStore,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("home", &self.home).finish_non_exhaustive()
    }
}

/// A kind of source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Variables,
    Profile,
    SignOn,
    WebIdentity,
    Process,
    Container,
    Instance,
}

impl Kind {
    /// All of them, in the order in which they are asked.
    pub const ALL: &[Self] = &[
        Self::Variables,
        Self::Profile,
        Self::SignOn,
        Self::WebIdentity,
        Self::Process,
        Self::Container,
        Self::Instance,
    ];

    /// Those of a profile that was asked for by its name.
    pub const OF_PROFILE: &[Self] =
        &[Self::Profile, Self::SignOn, Self::WebIdentity, Self::Process];

    /// Only this one.
    pub fn alone(self) -> &'static [Self] {
        match self {
            Self::Variables => &[Self::Variables],
            Self::Profile => &[Self::Profile],
            Self::SignOn => &[Self::SignOn],
            Self::WebIdentity => &[Self::WebIdentity],
            Self::Process => &[Self::Process],
            Self::Container => &[Self::Container],
            Self::Instance => &[Self::Instance],
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Variables => "the environment",
            Self::Profile => "the profile",
            Self::SignOn => "single sign-on",
            Self::WebIdentity => "the web identity",
            Self::Process => "the process",
            Self::Container => "the container",
            Self::Instance => "the instance",
        }
    }
}
