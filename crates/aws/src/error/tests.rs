use super::*;

#[test]
fn codes_and_statuses_tell_the_reason() {
    for (code, status, expected) in [
        ("UnauthorizedOperation", 403, Reason::Denied),
        ("Client.UnauthorizedOperation", 403, Reason::Denied),
        ("AccessDeniedException", 400, Reason::Denied),
        ("NewAndUnknown", 403, Reason::Denied),
        ("OptInRequired", 403, Reason::NotEnabled),
        ("SubscriptionRequiredException", 400, Reason::NotEnabled),
        ("AWSOrganizationsNotInUseException", 400, Reason::NotEnabled),
        ("RequestLimitExceeded", 503, Reason::Throttled),
        ("ThrottlingException", 400, Reason::Throttled),
        ("NewAndUnknown", 429, Reason::Throttled),
        ("SlowDown", 503, Reason::Throttled),
        ("ExpiredToken", 403, Reason::Expired),
        ("RequestTimeout", 400, Reason::Timeout),
        ("NewAndUnknown", 504, Reason::Timeout),
        ("InternalFailure", 500, Reason::Other),
        ("InvalidVpcID.NotFound", 400, Reason::Other),
    ] {
        assert_eq!(Reason::of(code, status), expected, "{code} {status}");
    }
}

#[test]
fn an_error_names_account_region_call_and_code() {
    let error = CallError {
        reason: Reason::Denied,
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        service: "ec2",
        action: "DescribeVpcs",
        code: "UnauthorizedOperation".into(),
        message: "You are not authorized to perform this operation.".into(),
        status: Some(403),
        request_id: Some("7f1c".into()),
        attempts: 1,
    };
    assert_eq!(
        error.to_string(),
        "ec2:DescribeVpcs in account 111122223333, Region eu-west-1: denied: UnauthorizedOperation: \
         You are not authorized to perform this operation. (status 403, request 7f1c)"
    );
}
