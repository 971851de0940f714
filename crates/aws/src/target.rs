//! Where a call goes, and the place that an error names.

use crate::call::Call;
use crate::credentials::Credentials;
use crate::error::{CallError, Failure};

/// Where a call goes and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// The account that is asked about: its limits count, and errors name it.
    pub account: Box<str>,
    /// The Region. Global services are asked in the Region that they have; errors name this one.
    pub region: Box<str>,
    /// Who asks.
    pub credentials: Credentials,
}

/// A failure with the place of its call.
pub(crate) fn error(
    target: &Target,
    call: &'static Call,
    failure: Failure,
    attempts: u16,
) -> CallError {
    CallError {
        reason: failure.reason,
        account: target.account.clone(),
        region: target.region.clone(),
        service: call.service.name(),
        action: call.action,
        code: failure.code,
        message: failure.message,
        status: failure.status,
        request_id: failure.request_id,
        attempts,
    }
}
