//! What a row of the table of calls tells.

use crate::rate::Bucket;
use crate::service::Service;

/// One call of AWS's APIs: all that is needed to send it, to read its pages to the last, to stay within its rate and
/// to name the permission it needs.
#[derive(Debug)]
pub struct Call {
    /// The service that answers it.
    pub service: Service,
    /// Its name at AWS: `DescribeVpcs`.
    pub action: &'static str,
    /// What it does there.
    pub access: Access,
    /// The IAM actions that the caller needs; none for a call that needs no permission.
    pub iam: &'static [&'static str],
    /// Method and path where the service's protocol does not fix them.
    pub rest: Option<Rest>,
    /// The shape of an answer in XML, as `xml/shapes` has it; empty where the answer is JSON or has no body to read.
    pub shape: &'static str,
    /// The list that an answer is about.
    pub items: Items,
    /// How its pages follow each other; none for a call that answers all at once.
    pub paging: Option<Paging>,
    /// The rate that AWS allows it.
    pub bucket: &'static Bucket,
}

/// What a call does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It reads what is there and changes nothing.
    Read,
    /// It takes from, or puts back into, the queue of messages that the operator made for it.
    Queue,
    /// It begins a session as a role.
    Session,
}

impl Access {
    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Queue => "queue",
            Self::Session => "session",
        }
    }
}

/// Method and path of a REST call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rest {
    /// The method; parameters of `POST` that are not in the path are its JSON body, those of all others its query.
    pub method: &'static str,
    /// The path, with `{name}` where a parameter stands; in `{name+}` slashes of its value stay.
    pub path: &'static str,
    /// What the query begins with; empty when nothing.
    pub query: &'static str,
}

/// The list of an answer. Paths are names of members with `/` between them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Items {
    /// The answer has no list to be complete about.
    One,
    /// AWS writes the list when it is empty, too: an answer without it is malformed.
    Always(&'static str),
    /// AWS leaves an empty list out. Then the other member must be there, so that an answer without anything is not
    /// taken for an empty list.
    Unless {
        /// The list.
        path: &'static str,
        /// What is there in each answer.
        witness: &'static str,
    },
    /// AWS leaves an empty list out, and the answer may hold nothing else.
    Omitted(&'static str),
}

impl Items {
    /// The path of the list, where there is one.
    pub fn path(self) -> Option<&'static str> {
        match self {
            Self::One => None,
            Self::Always(path) | Self::Unless { path, .. } | Self::Omitted(path) => Some(path),
        }
    }
}

/// How the pages of a listing follow each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Paging {
    /// The request's member for the token of the page before.
    pub token_in: &'static str,
    /// The path of the next page's token in the answer. None, or an empty one, ends the listing.
    pub token_out: &'static str,
    /// The path of the member that says whether more follows, where there is one.
    pub more: Option<&'static str>,
    /// The request's member for the size of a page, and the size asked: AWS's greatest.
    pub size: Option<(&'static str, u32)>,
}

impl Call {
    /// Its full name: `ec2:DescribeVpcs`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service.name(), self.action)
    }
}

/// A row being written; the methods add what differs from the usual.
pub(crate) const fn call(
    service: Service,
    action: &'static str,
    iam: &'static [&'static str],
    bucket: &'static Bucket,
) -> Call {
    Call {
        service,
        action,
        access: Access::Read,
        iam,
        rest: None,
        shape: "",
        items: Items::One,
        paging: None,
        bucket,
    }
}

impl Call {
    pub(crate) const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) const fn get(mut self, path: &'static str) -> Self {
        self.rest = Some(Rest { method: "GET", path, query: "" });
        self
    }

    pub(crate) const fn rest(mut self, rest: Rest) -> Self {
        self.rest = Some(rest);
        self
    }

    pub(crate) const fn shape(mut self, shape: &'static str) -> Self {
        self.shape = shape;
        self
    }

    pub(crate) const fn items(mut self, items: Items) -> Self {
        self.items = items;
        self
    }

    /// A list that AWS always writes.
    pub(crate) const fn list(self, path: &'static str) -> Self {
        self.items(Items::Always(path))
    }

    pub(crate) const fn paging(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }

    /// Pages by a token of one name in request and answer.
    pub(crate) const fn pages(self, token: &'static str, size: &'static str, most: u32) -> Self {
        self.paging(Paging {
            token_in: token,
            token_out: token,
            more: None,
            size: Some((size, most)),
        })
    }
}
