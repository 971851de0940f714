//! How browsers come in: a page that somebody asks for, and a form that a page sends. Beside
//! [`crate::verify`], which is for signed calls, this is the other door.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::request::Parts;
use palisade_core::ident::Region;
use palisade_wire::{ErrorKind, Fault};

use crate::app::{App, Auth};
use crate::audit::Actor;
use crate::caller::Caller;
use crate::intake::{Arrived, Incoming};
use crate::own::{Refused, Stop, unhurried};
use crate::request::blocking;
use crate::session::{self, Begun, Session};
use crate::verify::{Authentic, at_this_machine, foreign_origin, is_loopback};

/// Bytes of a form.
pub const FORM_SIZE_MAX: usize = 8 * 1024;
/// Bytes of a form with a policy: the 64 KiB that a call may have, each byte escaped.
pub const POLICY_FORM_SIZE_MAX: usize = 192 * 1024;

/// Who looks at a page.
///
/// INVARIANT: made in this file alone, for a session that is good or under open authentication.
#[derive(Debug)]
pub struct Visitor {
    caller: Caller,
    session: Option<Session>,
    request_id: String,
    form_token: String,
}

impl Visitor {
    /// As whom the visitor reads: what its key may read, and nothing else.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The session; `None` under open authentication, where nobody signs in.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// What the forms of this visitor's pages carry, so that no other site can send one.
    pub fn form_token(&self) -> &str {
        &self.form_token
    }

    /// What a page asks in the name of this visitor, of a Region or of the home of what has none.
    pub(crate) fn asks<T>(&self, region: Option<&Region>, body: T) -> Authentic<T> {
        let mut caller = self.caller.clone();
        if let Some(region) = region {
            caller.region = region.clone();
        }
        Authentic::of_visitor(caller, self.request_id.clone(), body)
    }
}

/// Who sent a form of one of this server's pages.
///
/// INVARIANT: made in this file alone, of a form that carries its visitor's token.
#[derive(Debug)]
pub struct Sender {
    visitor: Visitor,
    stop: Stop,
}

impl Sender {
    /// The sender, as a visitor of the page that is answered.
    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Whether nobody waits for the page any more.
    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }
}

/// Why a page is not shown.
#[derive(Debug)]
pub enum Turned {
    /// Nobody is signed in.
    Stranger,
    /// The same, and the browser came by a link of another site, with which it sends no cookie: it is to
    /// ask again by itself.
    FromElsewhere,
    /// Something else.
    Refused(Refused),
}

impl<E: Into<Refused>> From<E> for Turned {
    fn from(error: E) -> Turned {
        Turned::Refused(error.into())
    }
}

/// Finds out who asks for a page of `region`, and does `work` on a thread that may block.
///
/// # Errors
/// [`Turned`]
pub async fn visit<T: Send + 'static>(
    app: &Arc<App>,
    parts: &Parts,
    region: Region,
    work: impl FnOnce(&App, &Visitor) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Turned> {
    let arrived = Arrived::of(parts)?;
    blocking(app, move |app| {
        let visitor = visitor(app, &arrived, region)?;
        work(app, &visitor).map_err(Turned::Refused)
    })
    .await
}

fn visitor(app: &App, arrived: &Arrived, region: Region) -> Result<Visitor, Turned> {
    let request_id = arrived.noted.request_id.clone();
    let visitor = match app.settings.auth {
        Auth::Open => {
            at_this_machine(app, arrived)?;
            let caller = Caller::unsigned(None, region, None);
            let form_token = session::page_token(app, None)?;
            Visitor { caller, session: None, request_id, form_token }
        }
        Auth::SigV4 { .. } => {
            is_private(app, arrived)?;
            let cookie = cookie(app, arrived, SESSION_COOKIE);
            let opened = match cookie {
                Some(sealed) => session::open(app, sealed)?,
                None if is_from_elsewhere(arrived) => return Err(Turned::FromElsewhere),
                None => None,
            };
            let (session, key) = opened.ok_or(Turned::Stranger)?;
            app.uses.note(&key.access_key_id, app.clock.now_ms());
            let caller = Caller::of(key, region);
            let form_token = session::page_token(app, Some(&session))?;
            Visitor { caller, session: Some(session), request_id, form_token }
        }
    };
    if let Some(known) = &arrived.known {
        known.set();
    }
    if let Some(rate) = app.settings.rate {
        let key = visitor.caller.access_key_id.as_deref().unwrap_or_default();
        app.throttle.take(rate, key, app.clock.now_ms())?;
    }
    Ok(visitor)
}

/// A form that a page of this server sent: its members by name.
#[derive(Debug)]
pub struct Form {
    arrived: Arrived,
    members: BTreeMap<String, String>,
}

impl Form {
    /// Takes a form in.
    ///
    /// # Errors
    /// One that a page of another site sent; a body that is too large, slow or no form; no TLS where there
    /// must be.
    pub async fn take(app: &Arc<App>, request: Request) -> Result<Form, Refused> {
        Form::up_to(app, request, FORM_SIZE_MAX).await
    }

    /// Takes a form in that may have a policy.
    ///
    /// # Errors
    /// As [`Form::take`].
    pub async fn take_policy(app: &Arc<App>, request: Request) -> Result<Form, Refused> {
        Form::up_to(app, request, POLICY_FORM_SIZE_MAX).await
    }

    async fn up_to(app: &Arc<App>, request: Request, size_max: usize) -> Result<Form, Refused> {
        let (parts, body) = request.into_parts();
        let arrived = Arrived::of(&parts)?;
        match app.settings.auth {
            Auth::Open => at_this_machine(app, &arrived)?,
            Auth::SigV4 { .. } => is_private(app, &arrived)?,
        }
        from_this_site(&arrived)?;
        let share = app.unproven.share(arrived.peer);
        share.grow(arrived.size())?;
        let incoming = Incoming::of(body, size_max)?;
        let text = incoming.whole(app.settings.request_deadline, &share).await?;
        let unread = || Refused::invalid("the form cannot be read; load the page again");
        let mut members: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(&text) {
            // What is no UTF-8 is nothing that a page of this server sends.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(unread());
            }
            // Boxes of one name that are ticked, and lists: one a line.
            let member = members.entry(name.into_owned()).or_default();
            if !member.is_empty() {
                member.push('\n');
            }
            member.push_str(&value);
        }
        Ok(Form { arrived, members })
    }

    /// A member, empty where there is none.
    pub fn member(&self, name: &str) -> &str {
        self.members.get(name).map(String::as_str).unwrap_or_default()
    }

    /// All members.
    pub fn members(&self) -> &BTreeMap<String, String> {
        &self.members
    }

    /// Finds out who sent the form, and does `work` in the sender's name on a thread that may block.
    ///
    /// # Errors
    /// [`Turned`]: nobody is signed in any more; a form without its visitor's token; what `work` refuses.
    pub async fn act<T: Send + 'static>(
        self,
        app: &Arc<App>,
        region: Region,
        work: impl FnOnce(&App, &Sender, &Form) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Turned> {
        blocking(app, move |app| self.acted(app, region, Stop::default(), work)).await
    }

    /// As [`Form::act`], for what may take as long as a preview.
    ///
    /// # Errors
    /// As [`Form::act`].
    pub async fn act_unhurried<T: Send + 'static>(
        self,
        app: &Arc<App>,
        region: Region,
        work: impl FnOnce(&App, &Sender, &Form) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Turned> {
        unhurried(app, move |app, stop| self.acted(app, region, stop.clone(), work)).await
    }

    fn acted<T>(
        &self,
        app: &App,
        region: Region,
        stop: Stop,
        work: impl FnOnce(&App, &Sender, &Form) -> Result<T, Refused>,
    ) -> Result<T, Turned> {
        let visitor = visitor(app, &self.arrived, region)?;
        if self.member("token") != visitor.form_token() {
            return Err(Turned::Refused(stale()));
        }
        work(app, &Sender { visitor, stop }, self).map_err(Turned::Refused)
    }

    /// Signs in by access key id and secret; the form must carry what its page set as a cookie.
    ///
    /// # Errors
    /// See [`session::sign_in`]; a form of an old page.
    pub async fn sign_in(self, app: &Arc<App>) -> Result<Begun, Refused> {
        blocking(app, move |app| {
            self.is_of_a_page(app)?;
            let (key, secret) = (self.member("key").trim(), self.member("secret").trim());
            Ok(session::sign_in(app, self.arrived.peer, key, secret)?)
        })
        .await
    }

    /// Signs in by a one-time link.
    ///
    /// # Errors
    /// See [`session::follow`]; a form of an old page.
    pub async fn follow(self, app: &Arc<App>) -> Result<Begun, Refused> {
        blocking(app, move |app| {
            self.is_of_a_page(app)?;
            Ok(session::follow(app, self.arrived.peer, self.member("link"))?)
        })
        .await
    }

    /// Ends the session whose page sent the form. One that has ended already is no error.
    ///
    /// # Errors
    /// A form without its session's token; failures of the store.
    pub async fn sign_out(self, app: &Arc<App>) -> Result<(), Refused> {
        blocking(app, move |app| {
            let sealed = cookie(app, &self.arrived, SESSION_COOKIE);
            let opened = sealed.map(|sealed| session::open(app, sealed)).transpose()?.flatten();
            let Some((session, key)) = opened else { return Ok(()) };
            if self.member("token") != session::page_token(app, Some(&session))? {
                return Err(stale());
            }
            session::sign_out(app, &session);
            if !self.member("everywhere").is_empty() {
                let caller = Caller::of(key, Region::home_of_global());
                let (request_id, now_ms) = (&self.arrived.noted.request_id, app.clock.now_ms());
                let actor = Actor::of(&caller, None, request_id, now_ms);
                session::sign_out_everywhere(app, &session, &actor)?;
            }
            Ok(())
        })
        .await
    }

    fn is_of_a_page(&self, app: &App) -> Result<(), Refused> {
        let kept = cookie(app, &self.arrived, FORM_COOKIE).unwrap_or_default();
        match !kept.is_empty() && kept == self.member("token") {
            true => Ok(()),
            false => Err(stale()),
        }
    }
}

/// The cookie of a session.
const SESSION_COOKIE: &str = "palisade";
/// The cookie that a form of somebody who is not signed in must agree with.
const FORM_COOKIE: &str = "palisade-form";

/// What a page with a form for strangers needs: the token for the form, and the header that sets its cookie.
///
/// # Errors
/// No TLS where there must be; no random bytes.
pub fn form_token(app: &App, parts: &Parts) -> Result<(String, String), Refused> {
    is_private(app, &Arrived::of(parts)?)?;
    let token = session::secret_text(app)?;
    let header = set_cookie(app, FORM_COOKIE, &token, session::SESSION_MS_MAX / 1_000);
    Ok((token, header))
}

/// The headers that give a browser its session, and take the form's cookie back.
pub fn kept(app: &App, begun: &Begun) -> [String; 2] {
    let session = set_cookie(app, SESSION_COOKIE, &begun.sealed, begun.lasts_secs);
    [session, set_cookie(app, FORM_COOKIE, "", 0)]
}

/// The header that takes a browser's session back.
pub fn forgotten(app: &App) -> String {
    set_cookie(app, SESSION_COOKIE, "", 0)
}

fn set_cookie(app: &App, name: &str, value: &str, max_age_secs: i64) -> String {
    let (prefix, secure) = if app.settings.over_tls { (HOST, "; Secure") } else { ("", "") };
    format!(
        "{prefix}{name}={value}; Path=/; Max-Age={max_age_secs}; HttpOnly; SameSite=Strict{secure}"
    )
}

/// Over TLS the name says that no other host and no page in the clear set the cookie (RFC 6265bis §4.1.3).
const HOST: &str = "__Host-";

fn cookie<'a>(app: &App, arrived: &'a Arrived, name: &str) -> Option<&'a str> {
    let prefix = if app.settings.over_tls { HOST } else { "" };
    let cookies = arrived.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case("cookie"));
    cookies.flat_map(|(_, value)| value.split(';')).find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known.strip_prefix(prefix)? == name).then_some(value)
    })
}

/// Keeps secrets and sessions from crossing a network in the clear. It also keeps out pages whose names
/// point here (DNS rebinding): over plain HTTP this is the machine itself or nothing.
fn is_private(app: &App, arrived: &Arrived) -> Result<(), Fault> {
    let host = arrived.header("host").unwrap_or_default();
    if app.settings.over_tls || is_loopback(host) {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::AccessDenied,
        "the dashboard signs nobody in over plain HTTP from another machine; serve with --tls-cert and \
         --tls-key, or behind a proxy that speaks TLS with --behind-proxy",
    ))
}

/// Refuses what a page of another site may have sent.
fn from_this_site(arrived: &Arrived) -> Result<(), Fault> {
    let is_foreign = arrived.header("sec-fetch-site").is_some_and(|site| site != "same-origin")
        || foreign_origin(arrived).is_some();
    match is_foreign {
        true => Err(Fault::new(ErrorKind::AccessDenied, "a page of another site sent this form")),
        false => Ok(()),
    }
}

fn is_from_elsewhere(arrived: &Arrived) -> bool {
    arrived.header("sec-fetch-site") == Some("cross-site")
        && arrived.header("sec-fetch-mode") == Some("navigate")
}

fn stale() -> Refused {
    Refused::from(Fault::new(
        ErrorKind::AccessDenied,
        "the form is of a page that is no longer good; load the page again and send it from there",
    ))
}
