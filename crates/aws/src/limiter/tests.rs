use super::*;
use crate::calls::{
    DESCRIBE_VPCS, GET_CALLER_IDENTITY, GET_WEB_ACL, LIST_RESOURCES_FOR_WEB_ACL, LIST_WEB_ACLS,
};

const ACCOUNT: &str = "111122223333";

fn turn(call: &'static Call) -> Turn {
    Turn::new(ACCOUNT, "us-east-1", call)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How many calls go without waiting.
fn at_once(limiter: &Limiter, turn: &Turn, now: Duration) -> usize {
    (0..10_000).take_while(|_| limiter.take(turn, now).is_zero()).count()
}

#[test]
fn half_of_a_bucket_goes_at_once_and_then_half_of_the_rate() {
    let (limiter, vpcs) = (Limiter::new(RATE_SHARE_MILLI), turn(&DESCRIBE_VPCS));
    assert_eq!(at_once(&limiter, &vpcs, secs(0)), 50, "half of EC2's bucket of 100");
    // One waits already for its token; half of 20 a second come.
    assert_eq!(limiter.take(&vpcs, secs(0)), Duration::from_millis(200));
    assert_eq!(limiter.take(&vpcs, secs(0)), Duration::from_millis(300));
    assert_eq!(limiter.take(&vpcs, secs(1)), Duration::ZERO, "ten came, three were taken ahead");
    assert_eq!(at_once(&limiter, &vpcs, secs(1)), 6);
    assert_eq!(at_once(&limiter, &vpcs, secs(1000)), 50, "a bucket holds no more than its burst");
}

#[test]
fn a_bucket_of_less_than_one_call_lets_single_calls_through() {
    let (limiter, acls) = (Limiter::new(RATE_SHARE_MILLI), turn(&LIST_RESOURCES_FOR_WEB_ACL));
    assert_eq!(at_once(&limiter, &acls, secs(0)), 1);
    assert_eq!(limiter.take(&acls, secs(2)), secs(2), "one in two seconds is half of one a second");
}

#[test]
fn accounts_regions_and_calls_have_buckets_of_their_own() {
    let limiter = Limiter::new(RATE_SHARE_MILLI);
    let first = turn(&DESCRIBE_VPCS);
    assert_eq!(at_once(&limiter, &first, secs(0)), 50);
    for other in [
        Turn::new("444455556666", "us-east-1", &DESCRIBE_VPCS),
        Turn::new(ACCOUNT, "eu-west-1", &DESCRIBE_VPCS),
        turn(&crate::calls::DESCRIBE_SUBNETS),
    ] {
        assert_eq!(at_once(&limiter, &other, secs(0)), 50, "{other:?}");
    }
    assert_eq!(at_once(&limiter, &turn(&LIST_WEB_ACLS), secs(0)), 2);
    assert_eq!(at_once(&limiter, &turn(&GET_WEB_ACL), secs(0)), 2, "each call of WAF has its own");
    let sessions = turn(&crate::calls::ASSUME_ROLE);
    assert_eq!(at_once(&limiter, &sessions, secs(0)), 300);
    assert_eq!(
        at_once(&limiter, &turn(&GET_CALLER_IDENTITY), secs(0)),
        0,
        "all of STS is one bucket"
    );
}

#[test]
fn throttling_halves_the_rate_and_time_gives_it_back() {
    let (limiter, vpcs) = (Limiter::new(RATE_SHARE_MILLI), turn(&DESCRIBE_VPCS));
    assert_eq!(limiter.pace_milli(&vpcs, secs(0)), 500);
    limiter.throttled(&vpcs, secs(0));
    assert_eq!(limiter.pace_milli(&vpcs, secs(0)), 250);
    limiter.throttled(&vpcs, Duration::from_millis(999));
    assert_eq!(limiter.pace_milli(&vpcs, secs(1)), 250, "answers of one burst halve it once");
    limiter.throttled(&vpcs, secs(1));
    assert_eq!(limiter.pace_milli(&vpcs, secs(1)), 125);
    assert_eq!(limiter.take(&vpcs, secs(1)), Duration::from_millis(400), "the bucket is empty");
    assert_eq!(limiter.pace_milli(&vpcs, secs(10)), 125);
    assert_eq!(limiter.pace_milli(&vpcs, secs(11)), 150);
    assert_eq!(limiter.pace_milli(&vpcs, secs(21)), 175);
    assert_eq!(limiter.pace_milli(&vpcs, secs(160)), 500, "all of it comes back");
    for second in 0..20 {
        limiter.throttled(&vpcs, secs(1000 + second));
    }
    assert_eq!(limiter.pace_milli(&vpcs, secs(1019)), 500 * SLOWEST_MILLI / 1000);
    assert_eq!(limiter.pace_milli(&vpcs, secs(1029)), 500 * (SLOWEST_MILLI + 50) / 1000);
}

#[test]
fn full_buckets_are_forgotten_and_slowed_ones_are_not() {
    let limiter = Limiter::new(RATE_SHARE_MILLI);
    let slowed = turn(&DESCRIBE_VPCS);
    limiter.throttled(&slowed, secs(0));
    for account in 1..BUCKETS_HELD_MAX {
        let turn = Turn::new(&account.to_string(), "us-east-1", &DESCRIBE_VPCS);
        let _ = limiter.take(&turn, secs(0));
    }
    assert_eq!(limiter.held.lock().unwrap().len(), BUCKETS_HELD_MAX);
    let _ = limiter.take(&Turn::new("one more", "us-east-1", &DESCRIBE_VPCS), secs(9));
    assert_eq!(limiter.held.lock().unwrap().len(), 2);
    assert_eq!(limiter.pace_milli(&slowed, secs(9)), 250);
}
