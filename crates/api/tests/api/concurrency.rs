use std::collections::BTreeSet;

use serde_json::json;

use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_updates_with_one_token_exactly_one_wins() {
    let world = World::new().await;
    let twin = world.twin();
    let mut policy = world.put(audit("one")).await;
    for round in 0..20 {
        let mut writers = Vec::new();
        for writer in 0..8 {
            let mut update = policy.clone();
            update["PolicyDescription"] = json!(format!("round {round} writer {writer}"));
            let server = if writer % 2 == 0 { &world } else { &twin };
            writers.push(server.admin("PutPolicy", json!({ "Policy": update })));
        }
        let answers = join_all(writers).await;
        let winners: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for loser in answers.iter().filter(|answer| answer.status != 200) {
            loser.refuses("InvalidInputException", "`PolicyUpdateToken`");
        }
        policy = winners[0].ok()["Policy"].clone();
        let input = json!({ "PolicyId": policy["PolicyId"] });
        for server in [&world, &twin] {
            let read = server.admin("GetPolicy", input.clone()).await.ok();
            assert_eq!(read["Policy"], policy);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_quota_holds_against_many_creators() {
    let world = World::settled(|settings| settings.quotas.policies_max = 5).await;
    let creators = (0..12).map(|_| world.admin("PutPolicy", json!({ "Policy": audit("one") })));
    let answers = join_all(creators.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 5);
    let listed = world.pages("ListPolicies", json!({}), "PolicyList", 100).await;
    let ids: BTreeSet<&str> = listed.iter().map(|p| p["PolicyId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 5);
}

/// Polls all at once, so that they truly overlap on the blocking threads.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        let mut pending = false;
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *slot = Some(output),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        match pending {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect()),
        }
    })
    .await
}
