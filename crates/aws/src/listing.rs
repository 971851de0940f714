//! A listing, page by page. It is complete when its last page came, and never before.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::call::{Call, Paging};
use crate::client::Client;
use crate::error::{CallError, Failure, Reason, codes};
use crate::items::{at, at_mut};
use crate::request::Parameters;
use crate::target::{Target, error};

/// The most pages of a listing.
pub const PAGES_MAX: u32 = 100_000;

/// The next thing that a listing has.
#[derive(Debug)]
pub enum Step {
    /// A page; more may follow.
    Page(Page),
    /// The last page came before: what was read is all there is.
    Complete(Complete),
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The members of its list.
    pub items: Vec<Value>,
    /// All else that the answer has.
    pub rest: Value,
}

/// That a listing was read to its last page. Only a listing makes one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Complete {
    pages: u32,
    items: u64,
}

impl Complete {
    /// How many pages there were.
    pub fn pages(self) -> u32 {
        self.pages
    }

    /// How many members they had together.
    pub fn items(self) -> u64 {
        self.items
    }
}

/// A listing being read. It holds one page at a time.
#[derive(Debug)]
pub struct Listing {
    client: Client,
    target: Target,
    call: &'static Call,
    parameters: Parameters,
    /// Hashes of the tokens that came.
    seen: BTreeSet<[u8; 16]>,
    pages: u32,
    items: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    LastRead,
    Failed(Box<CallError>),
}

/// What follows a page.
enum After {
    Token(String),
    End,
}

impl Client {
    /// A listing, to be read page by page to its end. The page's size is AWS's greatest unless `parameters` say another.
    pub fn list(&self, target: &Target, call: &'static Call, parameters: Parameters) -> Listing {
        Listing::new(self.clone(), target.clone(), call, parameters)
    }
}

impl Listing {
    fn new(
        client: Client,
        target: Target,
        call: &'static Call,
        mut parameters: Parameters,
    ) -> Self {
        if let Some(Paging { size: Some((name, most)), .. }) = call.paging
            && !parameters.contains_key(name)
        {
            parameters.insert(name.to_owned(), most.into());
        }
        let (seen, state) = (BTreeSet::new(), State::Reading);
        Self { client, target, call, parameters, seen, pages: 0, items: 0, state }
    }

    /// The next page, or that there is none.
    ///
    /// # Errors
    /// When the page could not be read. The listing is over then, and each further call fails in the same way.
    pub async fn next(&mut self) -> Result<Step, CallError> {
        match &self.state {
            State::Reading => {}
            State::LastRead => {
                return Ok(Step::Complete(Complete { pages: self.pages, items: self.items }));
            }
            State::Failed(error) => return Err((**error).clone()),
        }
        let page = self.page().await;
        if let Err(error) = &page {
            self.state = State::Failed(Box::new(error.clone()));
        }
        page.map(Step::Page)
    }

    /// Reads all that is left, of at most so many members.
    ///
    /// # Errors
    /// As [`Listing::next`], and for a listing of more members.
    pub async fn all(mut self, items_max: usize) -> Result<(Vec<Value>, Complete), CallError> {
        let mut items = Vec::new();
        loop {
            match self.next().await? {
                Step::Page(page) => items.extend(page.items),
                Step::Complete(complete) => return Ok((items, complete)),
            }
            if items.len() > items_max {
                let message = format!("a listing of more than {items_max} members");
                return Err(self.failed(Failure::own(
                    Reason::Other,
                    codes::ANSWER_TOO_LONG,
                    message,
                )));
            }
        }
    }

    async fn page(&mut self) -> Result<Page, CallError> {
        let Some(path) = self.call.items.path() else {
            return Err(self.failed(Failure::invalid("the call answers no list")));
        };
        if self.pages >= PAGES_MAX {
            let message = format!("a listing of more than {PAGES_MAX} pages");
            return Err(self.failed(Failure::own(Reason::Other, codes::PAGES_MAX, message)));
        }
        let mut rest = self.client.call(&self.target, self.call, &self.parameters).await?;
        let items = match at_mut(&mut rest, path) {
            Some(Value::Array(items)) => std::mem::take(items),
            // That one may be absent was seen to when the answer was read.
            _ => Vec::new(),
        };
        match self.after(&rest).map_err(|failure| self.failed(failure))? {
            After::End => self.state = State::LastRead,
            After::Token(token) => {
                if let Some(paging) = self.call.paging {
                    self.parameters.insert(paging.token_in.to_owned(), Value::String(token));
                }
            }
        }
        self.pages = self.pages.saturating_add(1);
        self.items = self.items.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
        Ok(Page { items, rest })
    }

    /// What follows the page of this answer.
    fn after(&mut self, answer: &Value) -> Result<After, Failure> {
        let Some(paging) = self.call.paging else { return Ok(After::End) };
        let token = match at(answer, paging.token_out) {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) => Some(token.as_str()).filter(|token| !token.is_empty()),
            Some(_) => {
                return Err(Failure::malformed(format!("`{}` is no text", paging.token_out)));
            }
        };
        let more = match paging.more {
            None => token.is_some(),
            Some(path) => match at(answer, path) {
                Some(Value::Bool(more)) => *more,
                _ => return Err(Failure::malformed(format!("the answer does not say `{path}`"))),
            },
        };
        if !more {
            return Ok(After::End);
        }
        let Some(token) = token else {
            let message = format!("more follows, and `{}` does not say where", paging.token_out);
            return Err(Failure::own(Reason::Malformed, codes::PAGE_TOKEN_MISSING, message));
        };
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut short = [0; 16];
        for (to, from) in short.iter_mut().zip(digest) {
            *to = from;
        }
        if !self.seen.insert(short) {
            let message = format!(
                "`{}` of page {} came before",
                paging.token_out,
                self.pages.saturating_add(1)
            );
            return Err(Failure::own(Reason::Malformed, codes::PAGE_TOKEN_REPEATED, message));
        }
        Ok(After::Token(token.to_owned()))
    }

    fn failed(&self, failure: Failure) -> CallError {
        error(&self.target, self.call, failure, 1)
    }
}
