//! Hostile bodies: the verdict, and how much memory the verdict took. One test in a process of its own, so that what is counted
//! is the decoder's alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Instant;

use palisade_wire::{Fault, Input, Protocol, decode, shapes};
use peak_alloc::PeakAlloc;
use serde_json::Value as Json;

#[allow(dead_code)]
#[path = "conformance/suite.rs"]
mod suite;
#[path = "generated/dispatch.rs"]
#[macro_use]
#[allow(unused_macros)]
mod dispatch;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

fn decoded<I: Input>(protocol: Protocol, body: &[u8]) -> Result<Json, Fault> {
    decode::<I>(protocol, body).map(|input| serde_json::to_value(input).unwrap())
}

/// Decodes one body; gives the outcome and the most bytes held at once beside the body.
fn measured<T>(act: impl FnOnce() -> T) -> (T, usize) {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let outcome = act();
    (outcome, ALLOCATED.peak_usage().saturating_sub(before))
}

fn hostile(file: &str, protocol: Protocol) {
    suite::run(file, |case| {
        let body = suite::bytes(case);
        let started = Instant::now();
        let (outcome, peak) =
            measured(|| with_input!(suite::text(case, "operation"), decoded(protocol, &body)));
        println!("{file} {}: {} KiB, {:?}", suite::label(case), peak / 1024, started.elapsed());
        let shown = outcome.as_ref().map_or_else(|f| f.to_string(), Json::to_string);
        let agrees = match suite::text(case, "expect") {
            "accept" => outcome.is_ok(),
            "reject" => outcome.is_err(),
            "reject-or-ignore" => {
                outcome.is_err() || outcome.as_ref().is_ok_and(|v| *v == serde_json::json!({}))
            }
            "reject-or-last" => {
                outcome.is_err() || outcome.as_ref().is_ok_and(|v| v["MaxResults"] == 2)
            }
            "accept-or-reject" => true,
            other => return Err(format!("verdict `{other}`")),
        };
        suite::equal(&shown.chars().take(200).collect::<String>(), agrees, true)?;
        let limit = usize::try_from(case["limits"]["peak_alloc_mib"].as_u64().unwrap()).unwrap();
        suite::equal("within the memory limit", peak <= limit * MIB, true)
            .map_err(|e| format!("{e}: {peak} bytes"))
    });
}

/// A megabyte of tiny items, which the published vectors lack.
fn wide(protocol: Protocol, open: &[u8], item: &[u8], close: &[u8]) {
    let count = (MIB - open.len() - close.len()) / item.len();
    let body = [open, &item.repeat(count), close].concat();
    let (outcome, peak) =
        measured(|| decode::<shapes::TagResourceRequest>(protocol, &body).map(drop));
    assert!(outcome.is_err(), "{count} items were accepted");
    assert!(peak <= 8 * MIB, "{protocol:?}: {peak} bytes for {count} items");
}

#[test]
fn conformance_hostile_bodies() {
    hostile("awsjson11/hostile.json", Protocol::Json);
    hostile("rpcv2cbor/hostile.json", Protocol::Cbor);
    wide(Protocol::Json, br#"{"TagList":[{}"#, b",{}", b"]}");
    wide(Protocol::Json, br#"{"ResourceArn":"","TagList":[{"Key":"a"}"#, br#",{"Key":"a"}"#, b"]}");
    wide(Protocol::Cbor, b"\xbf\x67TagList\x9f", b"\xa0", b"\xff\xff");
    wide(Protocol::Cbor, b"\xbf\x67TagList\x9f", b"\xa1\x63Key\x60", b"\xff\xff");
}
