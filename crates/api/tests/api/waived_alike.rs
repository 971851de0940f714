//! A waiver changes no byte of an answer of AWS's operations: the same generated calls of every operation are played in
//! both protocols, in worlds where everything that is found is waived and in worlds where nothing is.

use std::collections::BTreeMap;

use palisade_api::operations::OPERATIONS;
use palisade_store::Control as _;
use palisade_wire::{Protocol, TABLE, decode_value};
use serde_json::{Value as Json, json};

use crate::both_protocols::{Generator, judge, play};
use crate::world::*;

const CALLS: usize = 6_000;

/// Waives whatever each policy finds, and answers how many violators that covers. A server of its own draws the ids, so
/// that those of the world's stay as they are.
async fn waive_all(world: &World, server: &World) -> u64 {
    let control = world.store.control().unwrap();
    let waived: Vec<_> = control.waivers.values().map(|waiver| waiver.policy.clone()).collect();
    let until = palisade_api::own::moment(world.clock.now() + 86_400_000);
    for policy in control.policies.keys().filter(|id| !waived.contains(id)) {
        let wanted = json!({
            "policy": policy, "resource": "*", "reason": "r", "owner": "o", "until": until,
        });
        server.own("POST", "/palisade/v1/waivers?confirm=true", wanted.to_string()).await.ok();
    }
    let listed = server.own("GET", "/palisade/v1/waivers?limit=1000", "").await.ok();
    let covers = |waiver: &Json| waiver["covers"].as_u64().unwrap();
    listed["waivers"].as_array().unwrap().iter().map(covers).sum()
}

#[tokio::test]
async fn no_byte_of_any_operation_tells_of_a_waiver() {
    let seed = 0x5eed_0021;
    println!("seed {seed:#x}");
    let mut generator = Generator::seeded(seed);
    let (plain, waived) = (World::new().await, World::new().await);
    let (plain_too, waived_too) = (World::new().await, World::new().await);
    let servers = [waived.twin(), waived_too.twin()];
    let (mut alike, mut covered) = (BTreeMap::<&str, usize>::new(), 0);
    for at in 0..CALLS {
        if at % 50 == 49 {
            judge(&[&plain, &waived, &plain_too, &waived_too], &mut generator);
            for (world, server) in [&waived, &waived_too].into_iter().zip(&servers) {
                covered += waive_all(world, server).await;
            }
        }
        let row = &OPERATIONS[at * 11 % OPERATIONS.len()];
        let call = generator.call(row);
        let name = row.operation.name();
        let json = play(&plain, row, &call, Protocol::Json).await;
        assert_eq!(play(&waived, row, &call, Protocol::Json).await, json, "call {at}, {name}");
        let cbor = play(&plain_too, row, &call, Protocol::Cbor).await;
        assert_eq!(play(&waived_too, row, &call, Protocol::Cbor).await, cbor, "call {at}, {name}");
        let (200, said) = json else { continue };
        *alike.entry(name).or_default() += 1;
        let Some(shape) = row.operation.output_shape() else { continue };
        let read = decode_value(&TABLE, shape, Protocol::Json, &said).unwrap();
        let json: Json = match said.is_empty() {
            true => json!({}),
            false => serde_json::from_slice(&said).unwrap(),
        };
        generator.heard(row, call, &json, &read);
    }
    // Refusals are compared as well; what tells of findings has to succeed.
    for name in ["ListComplianceStatus", "GetComplianceDetail", "GetViolationDetails"] {
        assert!(alike.contains_key(name), "{name}: {alike:?}");
    }
    assert!(alike.len() + 2 >= OPERATIONS.len(), "operations that succeeded: {alike:?}");
    println!("{covered} violators were covered");
    assert!(covered > 50, "the waivers cover {covered}");
}
