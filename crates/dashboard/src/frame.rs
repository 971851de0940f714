//! What every page has around its content: navigation, Region, theme, who looks, the ways to take the
//! view elsewhere, and the sentence that says how much is known.

use palisade_api::own::Refused;
use palisade_core::ident::Region;

use crate::coverage::{Coverage, Covers};
use crate::moments::typed;
use crate::place::{Place, Theme};
use crate::reader::{Reader, is_told, tells_of_the_past};
use crate::shown::{Moment, Words};

/// The pages of the navigation: name, path.
const TABS: [(&str, &str); 8] = [
    ("Overview", "/"),
    ("Policies", "/policies"),
    ("Heatmap", "/heatmap"),
    ("Violations", "/violations"),
    ("Changes", "/changes"),
    ("Waivers", "/waivers"),
    ("Sources", "/sources"),
    ("Audit", "/audit"),
];

/// The name and the address of something.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is called.
    pub name: Words,
    /// Where it is; empty for where one is.
    pub href: String,
    /// Whether one is there.
    pub is_here: bool,
}

impl Link {
    /// A link to somewhere else.
    pub fn to(name: impl Into<Words>, href: String) -> Link {
        Link { name: name.into(), href, is_here: false }
    }
}

/// A command that prints the same.
#[derive(Clone, Debug)]
pub struct Command {
    /// Of which tool.
    pub tool: &'static str,
    /// What to type.
    pub text: String,
}

/// The form that leads to a moment of the past, and the way back.
#[derive(Debug)]
pub struct Moments {
    /// The moment that the page tells of; `None` is now.
    pub at: Option<Moment>,
    /// The moment that the address names while the page tells of now.
    pub unheeded: Option<Moment>,
    /// As the field has it.
    pub typed: String,
    /// Where the form leads.
    pub path: String,
    /// What else stands in the address.
    pub hidden: Vec<(String, String)>,
    /// The same page now.
    pub now: String,
}

/// The frame.
#[derive(Debug)]
pub struct Frame {
    /// The page's title.
    pub title: Words,
    /// Navigation.
    pub tabs: Vec<Link>,
    /// The way here, the page itself left out.
    pub crumbs: Vec<Link>,
    /// The organization's id.
    pub organization: String,
    /// The Region looked at.
    pub region: String,
    /// The Regions there are.
    pub regions: Vec<Link>,
    /// The moment looked at; none where the page has no past or the caller is told none.
    pub moments: Option<Moments>,
    /// The theme's name; empty follows the browser.
    pub theme: &'static str,
    /// The other themes.
    pub themes: Vec<Link>,
    /// Who looks.
    pub who: String,
    /// What the form that signs out carries; none where nobody signs in.
    pub sign_out: Option<String>,
    /// What the forms of this page carry.
    pub form_token: String,
    /// Where keys are.
    pub keys: String,
    /// Where waivers are made and policies put: whether the caller may.
    pub changes: bool,
    /// What is known.
    pub coverage: Coverage,
    /// Where gaps are listed.
    pub sources: String,
    /// When all of the page was read.
    pub read: Moment,
    /// The program's version.
    pub version: &'static str,
    /// Commands that print the same.
    pub commands: Vec<Command>,
    /// The page as CSV and JSON, where there is anything to take.
    pub exports: Vec<Link>,
    /// The address of the page, for paper.
    pub address: String,
    /// What was asked for besides Region, moment and theme, for paper.
    pub asked: Vec<(Words, Words)>,
}

impl Frame {
    /// The frame of the page that `reader` is at, below the tab at `tab`.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(reader: &Reader<'_>, tab: &str, title: impl Into<Words>) -> Result<Frame, Refused> {
        Frame::covering(reader, tab, title, &Covers::Region)
    }

    /// As [`Frame::of`], with a sentence about what is known of something else than the Region.
    ///
    /// # Errors
    /// What the store says.
    pub fn covering(
        reader: &Reader<'_>,
        tab: &str,
        title: impl Into<Words>,
        covers: &Covers,
    ) -> Result<Frame, Refused> {
        let place = &reader.place;
        let again =
            |name: &str, value: &str| place.again(reader.path, reader.query, &[(name, value)]);
        let regions = reader.regions().into_iter().map(|region| Link {
            name: Words::from(region.as_str()),
            is_here: region == place.region,
            href: elsewhere(reader, region),
        });
        let tabs = TABS.iter().map(|(name, path)| Link {
            name: Words::from(name),
            href: place.to(path),
            is_here: *path == tab,
        });
        Ok(Frame {
            title: title.into(),
            tabs: tabs.collect(),
            crumbs: Vec::new(),
            organization: reader
                .organization()
                .map(|known| known.id.to_string())
                .unwrap_or_default(),
            region: place.region.to_string(),
            regions: regions.collect(),
            moments: moments(reader),
            theme: place.theme.map(Theme::name).unwrap_or_default(),
            themes: themes(reader),
            who: who(reader),
            sign_out: reader.visitor.session().map(|_| reader.visitor.form_token().to_owned()),
            form_token: reader.visitor.form_token().to_owned(),
            keys: place.now().to("/keys"),
            changes: reader.caller().may_change()
                && (reader.caller().account.as_ref())
                    .is_none_or(|account| reader.view.administrator(account).is_some()),
            coverage: Coverage::of(reader, covers)?,
            sources: place.to("/sources"),
            read: Moment(reader.now_ms),
            version: env!("CARGO_PKG_VERSION"),
            commands: Vec::new(),
            exports: ["CSV", "JSON"]
                .map(|form| Link::to(form, again("as", &form.to_lowercase())))
                .into(),
            address: format!(
                "{}{}",
                reader.endpoint(),
                place.again(reader.path, reader.query, &[])
            ),
            asked: asked(reader),
        })
    }

    /// With the way to the page.
    pub fn below(mut self, crumbs: Vec<Link>) -> Frame {
        self.crumbs = crumbs;
        self
    }

    /// With commands that print the same; of a moment of the past, those that can tell of one.
    pub fn with_commands(mut self, mut commands: Vec<Command>) -> Frame {
        let has_moment = |text: &str| text.contains(" --at ") || text.contains("at=");
        commands.retain(|command| !self.is_past() || has_moment(&command.text));
        self.commands = commands;
        self
    }

    /// Whether the page tells of a moment of the past.
    pub fn is_past(&self) -> bool {
        self.moments.as_ref().is_some_and(|moments| moments.at.is_some())
    }
}

fn asked(reader: &Reader<'_>) -> Vec<(Words, Words)> {
    let is_own = |name: &str| ["region", "at", "theme", "as"].contains(&name);
    let some = reader.query.iter().filter(|(name, value)| !is_own(name) && !value.is_empty());
    some.map(|(name, value)| (Words::from(name), Words::from(value))).collect()
}

fn moments(reader: &Reader<'_>) -> Option<Moments> {
    let (place, has_past) = (&reader.place, tells_of_the_past(reader.path));
    if !is_told(reader) || (!has_past && place.at_ms.is_none()) {
        return None;
    }
    let now = place.now();
    // Where a list goes on at another moment is another place.
    let gone = ["at", "as", "page", "next", "after-type", "after-id", "region", "theme"];
    let kept = reader.query.iter().filter(|(name, _)| !gone.contains(&name.as_str()));
    let theme = place.theme.map(Theme::name).unwrap_or_default();
    let own = [("region", place.region.as_str()), ("theme", theme)];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // As in a field: what is hidden in it fits any.
    let is_word =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let kept = kept.filter(|(name, _)| is_word(name));
    let hidden = own.into_iter().chain(kept.map(|(name, _)| (name.clone(), reader.typed(name))));
    Some(Moments {
        at: reader.at_ms.map(Moment),
        unheeded: place.at_ms.filter(|_| !has_past).map(Moment),
        typed: typed(place.at_ms.unwrap_or(reader.now_ms)),
        path: reader.path.to_owned(),
        hidden: hidden.filter(|(_, value)| !value.is_empty()).collect(),
        now: now.again(reader.path, reader.query, &[("page", ""), ("next", "")]),
    })
}

/// The page in another Region. A policy is of one alone: from its page the way leads to the other's list.
fn elsewhere(reader: &Reader<'_>, region: Region) -> String {
    let place = Place { region, ..reader.place.clone() };
    match reader.path.starts_with("/policies/") && place.region != reader.place.region {
        true => place.to("/policies"),
        false => {
            let gone = [("page", ""), ("policy", ""), ("next", "")];
            place.again(reader.path, reader.query, &gone)
        }
    }
}

/// The themes that are not chosen. No script is needed, and no cookie: a theme is a part of the address.
fn themes(reader: &Reader<'_>) -> Vec<Link> {
    let chosen = reader.place.theme;
    let all =
        [(None, "as the browser"), (Some(Theme::Light), "light"), (Some(Theme::Dark), "dark")];
    let others = all.into_iter().map(|(theme, name)| {
        let mut place = reader.place.clone();
        place.theme = theme;
        let href = place.again(reader.path, reader.query, &[]);
        Link { name: Words::from(name), href, is_here: theme == chosen }
    });
    others.collect()
}

/// Who looks, in words.
fn who(reader: &Reader<'_>) -> String {
    let caller = reader.caller();
    let acts = match &caller.account {
        None => "operator".to_owned(),
        Some(account) => match reader.view.administrator(account) {
            Some(known) if known.default => format!("default administrator {account}"),
            Some(_) => format!("administrator {account}"),
            None => format!("account {account}"),
        },
    };
    match (&caller.access_key_id, reader.visitor.session()) {
        (Some(key), Some(_)) => format!("{acts}, key {key}"),
        _ => format!("{acts}; nobody signs in (--auth open)"),
    }
}
