//! The notification channel: where an administrator wants to be told of events in a Region
//! (semantics §6.3). It is kept; telling comes later.

use palisade_store::{Channel, ControlChange};
use palisade_wire::Fault;
use palisade_wire::shapes::{
    DeleteNotificationChannelRequest, GetNotificationChannelRequest,
    GetNotificationChannelResponse, PutNotificationChannelRequest,
};

use crate::arn::Arn;
use crate::call::Call;

/// `PutNotificationChannel`: sets or replaces the one channel of the caller in this Region.
///
/// # Errors
/// ValidationException for what is not the ARN of an SNS topic and of an IAM role.
pub fn put(call: &Call<'_>, input: PutNotificationChannelRequest) -> Result<(), Fault> {
    let channel = Channel { topic: input.sns_topic_arn, role: input.sns_role_name };
    call.decide(|standing, _| {
        check(call, "SnsTopicArn", &channel.topic, "sns", "an SNS topic")?;
        check(call, "SnsRoleName", &channel.role, "iam", "an IAM role")?;
        let (account, region) = (standing.account.clone(), standing.region.clone());
        Ok((vec![ControlChange::PutChannel(account, region, Some(channel.clone()))], ()))
    })
}

fn check(call: &Call<'_>, member: &str, arn: &str, service: &str, what: &str) -> Result<(), Fault> {
    match Arn::parse(arn) {
        Some(known) if known.service == service => Ok(()),
        _ => Err(call.bad_input(format!("`{member}` is `{arn}`, which is not the ARN of {what}"))),
    }
}

/// `GetNotificationChannel`: both members are absent while there is none (semantics §9 row 29).
///
/// # Errors
/// AccessDeniedException for accounts that are no administrators.
pub fn get(
    call: &Call<'_>,
    _: GetNotificationChannelRequest,
) -> Result<GetNotificationChannelResponse, Fault> {
    let reading = call.read()?;
    let key = (reading.standing.account.clone(), reading.standing.region.clone());
    let channel = reading.view.control().channels.get(&key);
    Ok(GetNotificationChannelResponse {
        sns_topic_arn: channel.map(|channel| channel.topic.clone()),
        sns_role_name: channel.map(|channel| channel.role.clone()),
    })
}

/// `DeleteNotificationChannel`: succeeds without one, too (semantics §9 row 30).
///
/// # Errors
/// AccessDeniedException for accounts that are no administrators.
pub fn delete(call: &Call<'_>, _: DeleteNotificationChannelRequest) -> Result<(), Fault> {
    call.decide(|standing, view| {
        let (account, region) = (standing.account.clone(), standing.region.clone());
        let known = view.control().channels.contains_key(&(account.clone(), region.clone()));
        let change = ControlChange::PutChannel(account, region, None);
        Ok((if known { vec![change] } else { Vec::new() }, ()))
    })
}
