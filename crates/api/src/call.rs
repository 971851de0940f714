//! One authentic call of an AWS operation, as its handler sees it.

use std::sync::Arc;

use palisade_core::organization::Organization;
use palisade_store::{ControlChange, StoreError};
use palisade_wire::{ErrorKind, Fault, Operation};

use crate::app::{App, Decision};
use crate::audit::{self, Actor};
use crate::caller::{Caller, Standing};
use crate::fault::internal;
use crate::pages::{Binding, PAGE_SIZE_MAX};
use crate::row::{Callers, Denial, Effect, Row};
use crate::verify::Authentic;
use crate::view::ControlView;

/// What a handler may use: the application, and the caller whose call was verified.
///
/// Made of an [`Authentic`] request alone, so an unsigned call has no way in.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Store, clock, entropy, settings.
    pub app: &'a App,
    row: &'a Row,
    caller: &'a Caller,
    request_id: &'a str,
}

/// What a reading handler works on.
pub struct Reading {
    /// Who asks.
    pub standing: Standing,
    /// The control state at the time of the call.
    pub view: Arc<ControlView>,
}

impl<'a> Call<'a> {
    /// The call that an authentic request makes of the operation in `row`.
    pub fn new<T>(app: &'a App, row: &'a Row, request: &'a Authentic<T>) -> Self {
        Call { app, row, caller: request.caller(), request_id: request.request_id() }
    }

    /// The operation called.
    pub fn operation(&self) -> Operation {
        self.row.operation
    }

    /// The control state, once the caller was found to be one who may ask.
    ///
    /// # Errors
    /// The operation's denial for other callers.
    pub fn read(&self) -> Result<Reading, Fault> {
        let view = self.app.view().map_err(internal)?;
        let standing = self.authorise(&view)?;
        Ok(Reading { standing, view })
    }

    /// Changes the control state: `decide` is asked again whenever somebody else changed it first,
    /// and each time the caller must be one who may ask. The audit log tells of the call, also when
    /// there was nothing to change, and not when it is refused.
    ///
    /// # Errors
    /// The operation's denial, what `decide` refuses, and failures of the store.
    pub fn decide<T>(
        &self,
        mut decide: impl FnMut(&Standing, &ControlView) -> Result<(Vec<ControlChange>, T), Fault>,
    ) -> Result<T, Fault> {
        let answer = self.app.decide(|view| -> Result<_, Stopped> {
            let standing = self.authorise(view)?;
            let (changes, answer) = decide(&standing, view)?;
            let told = audit::changes(view.control(), &changes, &self.app.settings.partition);
            let actor = Actor::of(self.caller, Some(&standing), self.request_id, self.now_ms());
            let event = actor.event(self.row.operation.name(), told);
            Ok(Decision { changes, event, answer })
        });
        answer.map_err(|Stopped(fault)| fault)
    }

    /// What the caller is, if the operation's row lets it call.
    ///
    /// # Errors
    /// The operation's denial for other callers.
    pub(crate) fn authorise(&self, view: &ControlView) -> Result<Standing, Fault> {
        let region = &self.caller.region;
        if self.row.home_region_only && region.as_str() != self.app.settings.home_region() {
            let text = format!("This operation is not supported in the '{region}' region.");
            return Err(Fault::new(ErrorKind::InvalidOperation, text));
        }
        let Some(account) = self.caller.acting(view) else {
            return Err(Fault::new(ErrorKind::AccessDenied, NO_ORGANIZATION));
        };
        let standing = Standing::of(account, region.clone(), view);
        let administrators = view.default_administrator().is_some();
        let allowed = match self.row.callers {
            // The handler itself refuses others, in AWS's words for this operation.
            Callers::Unchecked => return Ok(standing),
            Callers::Member => standing.member,
            Callers::Management => standing.management,
            Callers::Administrator if !administrators => return Err(no_default_admin(&standing)),
            Callers::Administrator => standing.administrator.is_some(),
            Callers::DefaultAdministrator if !administrators => {
                return Err(no_default_admin(&standing));
            }
            Callers::DefaultAdministrator => standing.administrator == Some(true),
            Callers::AdministratorOrManagement if !administrators => {
                return Err(no_default_admin(&standing));
            }
            Callers::AdministratorOrManagement => {
                standing.administrator.is_some() || standing.management
            }
        };
        match allowed {
            true => {
                self.within_regions(&standing, view)?;
                Ok(standing)
            }
            false => Err(self.denial(&standing)),
        }
    }

    /// An administrator changes nothing in Regions outside its scope, whatever it names there; it
    /// may read.
    fn within_regions(&self, standing: &Standing, view: &ControlView) -> Result<(), Fault> {
        let changes = self.row.effect == Effect::Writes && self.row.family.is_regional();
        if !changes || view.may_act_in(&standing.account, &standing.region) {
            return Ok(());
        }
        Err(Fault::new(
            ErrorKind::InvalidOperation,
            format!(
                "Region `{}` is outside the AdminScope of account `{}`; the management account widens it with PutAdminAccount",
                standing.region, standing.account
            ),
        ))
    }

    /// The refusal of a caller who may not ask, in the words that clients match (semantics §8.2).
    pub fn denial(&self, standing: &Standing) -> Fault {
        let text = match self.row.denial {
            Denial::OnlyAdministrators => format!(
                "Operation {} is only available to AWS Firewall Manager Administrators.",
                self.row.operation.name()
            ),
            Denial::NotDelegated => {
                format!("Account: {} is not currently delegated by AWS FM.", standing.account)
            }
            Denial::OnlyManagement => format!(
                "Operation {} is only available to the management account of the Organization.",
                self.row.operation.name()
            ),
            Denial::OnlyMembers => {
                format!("Account: {} is not a member of the Organization.", standing.account)
            }
        };
        Fault::new(ErrorKind::AccessDenied, text)
    }

    /// A fault for input that breaks a rule: InvalidInputException where the operation models it.
    pub fn bad_input(&self, message: impl Into<String>) -> Fault {
        Fault::new(ErrorKind::of_bad_input(self.row.operation), message)
    }

    /// How many entries a page holds.
    pub fn page_size(&self, max_results: Option<i32>) -> usize {
        // The model's bounds, 1 to 100, were checked when the request was decoded.
        max_results
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(PAGE_SIZE_MAX)
            .min(PAGE_SIZE_MAX)
    }

    /// The position in a page token, if one came.
    ///
    /// # Errors
    /// A token that was not sealed for this caller, operation and filter.
    pub fn position(
        &self,
        standing: &Standing,
        filter: &[&str],
        token: Option<&str>,
    ) -> Result<Option<String>, Fault> {
        let Some(token) = token else { return Ok(None) };
        let sealer = self.app.sealer().map_err(internal)?;
        match sealer.open(self.binding(standing, filter), token) {
            Some(position) => Ok(Some(position)),
            None => Err(self.bad_input(format!(
                "`NextToken` is not a token that {} gave to this account for this list; leave it out to start again",
                self.row.operation.name()
            ))),
        }
    }

    /// A page token for `position`.
    ///
    /// # Errors
    /// Failures of the store or of the source of random bytes.
    pub fn next_token(
        &self,
        standing: &Standing,
        filter: &[&str],
        position: &str,
    ) -> Result<String, Fault> {
        let sealer = self.app.sealer().map_err(internal)?;
        sealer.seal(&*self.app.entropy, self.binding(standing, filter), position).map_err(internal)
    }

    /// One page of `all`, which is in order, after the position of the token: those entries whose
    /// position is greater. Answers them with the next token.
    ///
    /// # Errors
    /// As [`Call::position`] and [`Call::next_token`].
    pub fn page<T>(
        &self,
        standing: &Standing,
        filter: &[&str],
        paging: Paging<'_>,
        all: Vec<T>,
        position_of: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Fault> {
        let size = self.page_size(paging.max_results);
        let mut left = all;
        if let Some(after) = self.position(standing, filter, paging.next_token)? {
            left.retain(|entry| position_of(entry) > after);
        }
        let more = left.len() > size;
        left.truncate(size);
        let next = match left.last() {
            Some(last) if more => Some(self.next_token(standing, filter, &position_of(last))?),
            _ => None,
        };
        Ok((left, next))
    }

    /// As [`Call::page`], of a list that can be begun anywhere: `from` answers what comes after a position,
    /// and is read no further than the page goes.
    ///
    /// # Errors
    /// As [`Call::page`].
    pub fn page_of<T, I: Iterator<Item = T>>(
        &self,
        standing: &Standing,
        filter: &[&str],
        paging: Paging<'_>,
        from: impl FnOnce(Option<&str>) -> I,
        position_of: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Fault> {
        let size = self.page_size(paging.max_results);
        let after = self.position(standing, filter, paging.next_token)?;
        let mut rest = from(after.as_deref());
        let page: Vec<T> = rest.by_ref().take(size).collect();
        let next = match page.last() {
            Some(last) if rest.next().is_some() => {
                Some(self.next_token(standing, filter, &position_of(last))?)
            }
            _ => None,
        };
        Ok((page, next))
    }

    fn binding<'b>(&self, standing: &'b Standing, filter: &'b [&'b str]) -> Binding<'b> {
        Binding { caller: standing.account.as_str(), operation: self.row.operation.name(), filter }
    }

    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.app.clock.now_ms()
    }
}

/// The paging members of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paging<'a> {
    /// `MaxResults`
    pub max_results: Option<i32>,
    /// `NextToken`
    pub next_token: Option<&'a str>,
}

const NO_ORGANIZATION: &str = "No default admin could be found for account: no organization was \
     applied to this Palisade yet; apply one with `palisade organization apply FILE`";

/// The refusal of operations of administrators while there is none (semantics §8.2).
fn no_default_admin(standing: &Standing) -> Fault {
    let text = format!("No default admin could be found for account {}", standing.account);
    Fault::new(ErrorKind::AccessDenied, text)
}

/// The organization in a view. A caller that was let in implies one.
///
/// # Errors
/// The same refusal as for a caller before any organization.
pub fn organization(view: &ControlView) -> Result<&Organization, Fault> {
    view.organization().ok_or_else(|| Fault::new(ErrorKind::AccessDenied, NO_ORGANIZATION))
}

/// Why a decision ended: a fault, into which failures of the store are turned.
struct Stopped(Fault);

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped(internal(error))
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Stopped(fault)
    }
}
