//! `GetProtectionStatus`: attacks on what a Shield Advanced policy protects (semantics §3.8).

use palisade_core::ident::AccountId;
use palisade_core::policy::PolicyType;
use palisade_wire::Fault;
use palisade_wire::shapes::{
    GetProtectionStatusRequest, GetProtectionStatusResponse, SecurityServiceType,
};

use crate::call::Call;
use crate::policies;

/// What is answered while no source tells of attacks: not that there were none (semantics §10 row
/// 31).
const UNKNOWN: &str = r#"{"attacksKnown":false,"reason":"no source tells this Palisade of attacks; whether there were any is not known"}"#;

/// `GetProtectionStatus`
///
/// # Errors
/// ResourceNotFoundException for a policy that is not the caller's in this Region,
/// InvalidInputException for a policy of another type, an account that the caller does not manage,
/// and an end before the start.
pub fn status(
    call: &Call<'_>,
    input: GetProtectionStatusRequest,
) -> Result<GetProtectionStatusResponse, Fault> {
    let reading = call.read()?;
    let (standing, view) = (&reading.standing, &reading.view);
    let record = policies::own(standing, view, &input.policy_id)?;
    if record.document.policy_type() != Ok(PolicyType::ShieldAdvanced) {
        return Err(call.bad_input(format!(
            "policy `{}` is of type {}; only policies of type SHIELD_ADVANCED have a protection status",
            record.id, record.document.security_service_policy_data.policy_type
        )));
    }
    if let Some(member) = &input.member_account_id {
        let known = AccountId::try_from(member.as_str());
        if !known.is_ok_and(|account| view.manages(&standing.account, &account)) {
            return Err(call.bad_input(format!("account `{member}` is not in the organization")));
        }
    }
    if let (Some(start), Some(end)) = (input.start_time, input.end_time)
        && end < start
    {
        return Err(call.bad_input("`EndTime` is before `StartTime`; exchange them"));
    }
    let filter = [standing.region.as_str(), record.id.as_str()];
    call.position(standing, &filter, input.next_token.as_deref())?;
    Ok(GetProtectionStatusResponse {
        admin_account_id: Some(record.owner.to_string()),
        service_type: Some(SecurityServiceType::ShieldAdvanced),
        data: Some(UNKNOWN.to_owned()),
        next_token: None,
    })
}
