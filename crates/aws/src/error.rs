//! What went wrong with a call: where, which call, AWS's own code, and of which kind it is. A gap is made of one.

use std::fmt;

/// Codes of failures that AWS did not name, since no answer of its came or none could be read.
pub mod codes {
    /// No connection within its time limit.
    pub const CONNECT_TIMEOUT: &str = "ConnectTimeout";
    /// No head of an answer within its time limit.
    pub const FIRST_BYTE_TIMEOUT: &str = "FirstByteTimeout";
    /// An answer that began and did not end within its time limit.
    pub const ANSWER_TIMEOUT: &str = "AnswerTimeout";
    /// The connection was refused, reset or ended before the whole answer had come.
    pub const CONNECTION_FAILED: &str = "ConnectionFailed";
    /// A body that is longer than the limit.
    pub const ANSWER_TOO_LONG: &str = "AnswerTooLong";
    /// A body that is not what the call answers.
    pub const MALFORMED_ANSWER: &str = "MalformedAnswer";
    /// An answer with an error's status and without an error's code.
    pub const NO_CODE: &str = "ErrorWithoutCode";
    /// A page token that came before: the listing would never end.
    pub const PAGE_TOKEN_REPEATED: &str = "PageTokenRepeated";
    /// A page that says that more follows and does not say where.
    pub const PAGE_TOKEN_MISSING: &str = "PageTokenMissing";
    /// A listing of more pages than are read.
    pub const PAGES_MAX: &str = "PagesMax";
    /// No source of credentials had any.
    pub const NO_CREDENTIALS: &str = "NoCredentials";
    /// A source of credentials failed.
    pub const CREDENTIALS_FAILED: &str = "CredentialsFailed";
    /// A request that cannot be made of its parameters, or an endpoint that is no address.
    pub const INVALID_REQUEST: &str = "InvalidRequest";
}

/// Of which kind a failure is: what a reader can do about it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The caller may not: a policy, an SCP, a trust policy, or keys that are not known. Some services answer so in a
    /// Region that the account did not opt in to; `DescribeRegions` tells the two apart.
    Denied,
    /// The Region or the service is not enabled for the account.
    NotEnabled,
    /// AWS asked to slow down, and still did after all retries.
    Throttled,
    /// The session of the caller is over, and a new one did not help.
    Expired,
    /// Nothing came in time, after all retries.
    Timeout,
    /// An answer came and is not what the call answers.
    Malformed,
    /// All else: see the code.
    Other,
}

impl Reason {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Denied,
        Self::NotEnabled,
        Self::Throttled,
        Self::Expired,
        Self::Timeout,
        Self::Malformed,
        Self::Other,
    ];

    /// One lower-case word or two, for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotEnabled => "not enabled",
            Self::Throttled => "throttled",
            Self::Expired => "session expired",
            Self::Timeout => "timed out",
            Self::Malformed => "malformed answer",
            Self::Other => "failed",
        }
    }

    /// The kind that an error code and a status of AWS tell.
    pub fn of(code: &str, status: u16) -> Self {
        // EC2 writes some codes with the side that is at fault.
        let code =
            code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
        match code {
            "AccessDenied"
            | "AccessDeniedException"
            | "AllAccessDisabled"
            | "AuthFailure"
            | "AuthorizationError"
            | "AuthorizationErrorException"
            | "ForbiddenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotAuthorized"
            | "SignatureDoesNotMatch"
            | "UnauthorizedException"
            | "UnauthorizedOperation"
            | "UnrecognizedClientException" => Self::Denied,
            "AWSOrganizationsNotInUseException"
            | "OptInRequired"
            | "RegionDisabledException"
            | "SubscriptionRequiredException"
            | "SubscriptionRequired" => Self::NotEnabled,
            "BandwidthLimitExceeded"
            | "EC2ThrottledException"
            | "LimitExceededException"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "TransactionInProgressException" => Self::Throttled,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "TokenRefreshRequired" => Self::Expired,
            "RequestTimeout" | "RequestTimeoutException" => Self::Timeout,
            _ => match status {
                401 | 403 => Self::Denied,
                429 => Self::Throttled,
                408 | 504 => Self::Timeout,
                _ => Self::Other,
            },
        }
    }
}

/// A call that failed, with all that a reader needs to find it again. It holds no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallError {
    /// Of which kind the failure is.
    pub reason: Reason,
    /// The account that was asked about.
    pub account: Box<str>,
    /// The Region that was asked.
    pub region: Box<str>,
    /// The service, as the table of calls names it.
    pub service: &'static str,
    /// The call's name at AWS.
    pub action: &'static str,
    /// AWS's code, or one of [`codes`]; never empty.
    pub code: Box<str>,
    /// AWS's message, or ours.
    pub message: Box<str>,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// AWS's id of the request, for its support.
    pub request_id: Option<Box<str>>,
    /// How often the call was sent; 0 where it could not be.
    pub attempts: u16,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{} in account {}, Region {}: {}: {}: {}",
            self.service,
            self.action,
            self.account,
            self.region,
            self.reason.text(),
            self.code,
            self.message
        )?;
        let mut more = Vec::new();
        more.extend(self.status.map(|status| format!("status {status}")));
        more.extend(self.request_id.as_ref().map(|id| format!("request {id}")));
        if self.attempts > 1 {
            more.push(format!("{} attempts", self.attempts));
        }
        if more.is_empty() { Ok(()) } else { write!(f, " ({})", more.join(", ")) }
    }
}

impl std::error::Error for CallError {}

/// A failure before the place of the call is added to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    pub reason: Reason,
    pub code: Box<str>,
    pub message: Box<str>,
    pub status: Option<u16>,
    pub request_id: Option<Box<str>>,
    /// Whether the same request may succeed when it is sent again a moment later.
    pub passing: bool,
    /// The server's clock as its answer tells it, in epoch milliseconds.
    pub server_ms: Option<i64>,
}

impl Failure {
    /// One of our own codes.
    pub fn own(reason: Reason, code: &str, message: impl Into<Box<str>>) -> Self {
        Self {
            reason,
            code: code.into(),
            message: message.into(),
            status: None,
            request_id: None,
            passing: false,
            server_ms: None,
        }
    }

    /// An answer that is not what the call answers.
    pub fn malformed(message: impl Into<Box<str>>) -> Self {
        Self::own(Reason::Malformed, codes::MALFORMED_ANSWER, message)
    }

    /// A request that cannot be sent.
    pub fn invalid(message: impl Into<Box<str>>) -> Self {
        Self::own(Reason::Other, codes::INVALID_REQUEST, message)
    }

    /// The same, to be tried again.
    pub fn passing(mut self) -> Self {
        self.passing = true;
        self
    }
}

#[cfg(test)]
mod tests;
