//! What every address of a page carries: the Region, and the moment and the theme where they were chosen.
//! Changing one of them keeps the page.

use std::collections::BTreeMap;

use palisade_api::own::moment;
use palisade_core::ident::Region;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a part of an address (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The query of a page, each name once.
pub type Query = BTreeMap<String, String>;

/// Which colours were chosen; none follows the browser.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// As addresses and style sheets name it.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Where in the organization a page looks.
#[derive(Clone, Debug)]
pub struct Place {
    /// The Region of policies and inventory.
    pub region: Region,
    /// The moment of the past, milliseconds since the epoch; `None` is now.
    pub at_ms: Option<i64>,
    /// The theme, if one was chosen.
    pub theme: Option<Theme>,
}

impl Place {
    /// The same place now: what is changed is changed now.
    pub fn now(&self) -> Place {
        Place { at_ms: None, ..self.clone() }
    }

    /// The address of a page.
    pub fn to(&self, path: &str) -> String {
        self.with(path, &[])
    }

    /// The address of a page with more members; empty ones are left out.
    pub fn with(&self, path: &str, members: &[(&str, &str)]) -> String {
        let theme = self.theme.map(Theme::name).unwrap_or_default();
        let at = self.at_ms.map(moment).unwrap_or_default();
        let own = [("region", self.region.as_str()), ("at", at.as_str()), ("theme", theme)];
        let all = own.iter().chain(members).filter(|(_, value)| !value.is_empty());
        let all: Vec<String> =
            all.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{path}?{}", all.join("&"))
    }

    /// The address of the page that was asked for, with some of its query replaced.
    pub fn again(&self, path: &str, query: &Query, members: &[(&str, &str)]) -> String {
        let is_own = |name: &str| {
            // How it was sent is no part of what was asked.
            ["region", "at", "theme", "as"].contains(&name)
                || members.iter().any(|(new, _)| *new == name)
        };
        let kept = query.iter().filter(|(name, _)| !is_own(name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = kept.chain(members.iter().copied()).collect();
        self.with(path, &all)
    }
}

/// The theme of a query.
pub fn theme(query: &Query) -> Option<Theme> {
    match query.get("theme").map(String::as_str) {
        Some("dark") => Some(Theme::Dark),
        Some("light") => Some(Theme::Light),
        _ => None,
    }
}

/// A part of an address.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Where to go after signing in: a page of this server and nothing else.
pub fn local(wanted: &str) -> &str {
    let is_path = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_form = wanted.starts_with("/sign-");
    if is_path && !is_form { wanted } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_moment_and_theme_are_in_every_address() {
        let region = "eu-west-1".try_into().unwrap();
        let mut place = Place { region, at_ms: None, theme: None };
        assert_eq!(place.to("/policies"), "/policies?region=eu-west-1");
        place.theme = Some(Theme::Dark);
        let query: Query = [("q", "a b"), ("region", "us-east-1"), ("as", "csv"), ("page", "2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(
            place.again("/violations", &query, &[("page", "3"), ("x", "")]),
            "/violations?region=eu-west-1&theme=dark&q=a%20b&page=3"
        );
        place.at_ms = Some(1_000);
        let then = "/policies?region=eu-west-1&at=1970-01-01T00%3A00%3A01Z&theme=dark";
        assert_eq!(place.to("/policies"), then);
        assert_eq!(place.now().to("/policies"), "/policies?region=eu-west-1&theme=dark");
    }

    #[test]
    fn nobody_is_led_to_another_site() {
        for (wanted, led) in [
            ("/policies?region=us-east-1", "/policies?region=us-east-1"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("/sign-out", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(wanted), led, "{wanted}");
        }
    }
}
