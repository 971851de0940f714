//! What a handler works on: who looks, at what, at which moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_api::caller::Caller;
use palisade_api::own::readers::AsOf;
use palisade_api::own::{Refused, readers};
use palisade_api::printable::is_hidden;
use palisade_api::visit::Visitor;
use palisade_api::{App, ControlView};
use palisade_core::ident::{AccountId, Region};
use palisade_core::organization::Organization;
use palisade_store::PolicyRecord;

use crate::moments;
use crate::place::{Place, Query, theme};
use crate::shown::Words;

/// Rows of one page of a list.
pub const ROWS_MAX: usize = 100;

/// A visitor at one page: the control state, the Region and the moment of the look.
pub struct Reader<'a> {
    /// Store, clock, settings.
    pub app: &'a App,
    /// The control state, of the moment that is read of.
    pub view: Arc<ControlView>,
    /// Who looks.
    pub visitor: &'a Visitor,
    /// Where.
    pub place: Place,
    /// The path of the page.
    pub path: &'a str,
    /// What was asked.
    pub query: &'a Query,
    /// Under which name the browser knows the server.
    pub host: &'a str,
    /// The moment of the past that is read of, milliseconds since the epoch; `None` is now, which pages
    /// that do not tell of the past read of whatever their address says.
    pub at_ms: Option<i64>,
    /// Milliseconds since the epoch.
    pub now_ms: i64,
}

impl<'a> Reader<'a> {
    /// The reader of a page that was asked for.
    ///
    /// # Errors
    /// A Region or a moment of no form, a moment of which nothing is kept; what the store says.
    pub fn of(
        app: &'a App,
        visitor: &'a Visitor,
        path: &'a str,
        query: &'a Query,
        host: &'a str,
    ) -> Result<Reader<'a>, Refused> {
        let mut view = app.view()?;
        let asked = query.get("at").filter(|text| !text.is_empty());
        let asked_ms = asked.map(|text| moments::read("at", text)).transpose()?;
        let at_ms = asked_ms.filter(|_| tells_of_the_past(path));
        if let Some(at_ms) = at_ms {
            view = AsOf::past(app, visitor.caller(), at_ms)?.view;
        }
        let region = match query.get("region").filter(|text| !text.is_empty()) {
            Some(text) => {
                Region::named(text).map_err(|error| Refused::invalid(error.to_string()))?
            }
            None => first_region(app, &view, visitor.caller())?,
        };
        let place = Place { region, at_ms: asked_ms, theme: theme(query) };
        let now_ms = app.clock.now_ms();
        Ok(Reader { app, view, visitor, place, path, query, host, at_ms, now_ms })
    }

    /// The moment that is read of.
    pub fn as_of(&self) -> AsOf {
        AsOf { view: self.view.clone(), at_ms: self.at_ms }
    }

    /// The server as the browser knows it.
    pub fn endpoint(&self) -> String {
        let scheme = if self.app.settings.over_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// As whom is read.
    pub fn caller(&self) -> &Caller {
        self.visitor.caller()
    }

    /// A member of the query, if it says anything.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A member of the query as it is shown again in its field: a hidden character would move or reverse
    /// what stands there, and is a `*` instead, which fits any.
    pub fn typed(&self, name: &str) -> String {
        let text = self.asked(name).unwrap_or_default();
        text.chars().map(|c| if is_hidden(c) { '*' } else { c }).collect()
    }

    /// The number of the page of a list, from 1.
    ///
    /// # Errors
    /// It is no number.
    pub fn page(&self) -> Result<usize, Refused> {
        let Some(text) = self.asked("page") else { return Ok(1) };
        let page = text.parse().ok().filter(|page| (1..=1_000_000).contains(page));
        page.ok_or_else(|| Refused::invalid(format!("`page` is `{text}`; give a number from 1")))
    }

    /// The policies of the Region that the caller reads, by name.
    pub fn policies(&self) -> Vec<&Arc<PolicyRecord>> {
        let all = readers::policies(&self.view, self.caller());
        let mut here: Vec<&Arc<PolicyRecord>> =
            all.filter(|record| record.region == self.place.region).collect();
        here.sort_by(|one, other| {
            let key = |it: &PolicyRecord| (it.document.policy_name.clone(), it.id.clone());
            key(one).cmp(&key(other))
        });
        here
    }

    /// Regions in which the caller reads policies, and that of the page.
    pub fn regions(&self) -> BTreeSet<Region> {
        let all = readers::policies(&self.view, self.caller());
        let mut regions: BTreeSet<Region> = all.map(|record| record.region.clone()).collect();
        regions.insert(self.place.region.clone());
        regions
    }

    /// The organization, once one was applied.
    pub fn organization(&self) -> Option<&Organization> {
        self.view.organization()
    }

    /// The accounts that the caller reads of: the operator of all, an administrator of those it manages,
    /// a member of itself.
    pub fn accounts(&self) -> Vec<&AccountId> {
        let all = self.organization().into_iter().flat_map(|known| known.accounts.keys());
        all.filter(|account| self.reads(account)).collect()
    }

    /// Whether the caller reads of an account.
    pub fn reads(&self, account: &AccountId) -> bool {
        self.caller().account.as_ref().is_none_or(|own| {
            let is_administrator = self.view.administrator(own).is_some();
            own == account || (is_administrator && self.view.manages(own, account))
        })
    }

    /// An account's name as the organization has it; its id where it has none.
    pub fn name_of(&self, account: &AccountId) -> Words {
        let known = self.organization().and_then(|known| known.accounts.get(account));
        let name = known.map(|known| &*known.name).filter(|name| !name.is_empty());
        Words::from(name.unwrap_or(account.as_str()))
    }
}

/// Whether the caller is told the past: an account that administers nothing is not.
pub fn is_told(reader: &Reader<'_>) -> bool {
    let account = reader.caller().account.as_ref();
    account.is_none_or(|account| reader.view.administrator(account).is_some())
}

/// Whether a page tells how it stood at a moment of the past. Others tell of now, or choose their moments
/// themselves.
pub fn tells_of_the_past(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["" | "policies" | "heatmap" | "violations"] | ["accounts", _] => true,
        ["policies", id] => *id != "new",
        ["policies", _, "accounts", _] => true,
        _ => false,
    }
}

/// The partition's home where the caller reads policies there or nowhere; else the first Region with some.
fn first_region(app: &App, view: &ControlView, caller: &Caller) -> Result<Region, Refused> {
    let home = Region::named(app.settings.home_region());
    let home = home.map_err(|error| Refused::invalid(error.to_string()))?;
    let regions: BTreeSet<&Region> =
        readers::policies(view, caller).map(|record| &record.region).collect();
    match regions.first() {
        Some(first) if !regions.contains(&home) => Ok((*first).clone()),
        _ => Ok(home),
    }
}
