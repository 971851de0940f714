use serde_json::{Value, json};

use crate::world::*;

async fn tags(world: &World, arn: &Value) -> Value {
    world.admin("ListTagsForResource", json!({ "ResourceArn": arn })).await.ok()["TagList"].clone()
}

async fn objects(world: &World) -> Vec<Value> {
    let list = json!({ "ListName": "p", "ProtocolsList": ["tcp"] });
    let apps =
        json!({ "ListName": "a", "AppsList": [{ "AppName": "a", "Protocol": "tcp", "Port": 80 }] });
    vec![
        world.admin("PutPolicy", json!({ "Policy": audit("one") })).await.ok()["PolicyArn"].clone(),
        world.admin("PutAppsList", json!({ "AppsList": apps })).await.ok()["AppsListArn"].clone(),
        world.admin("PutProtocolsList", json!({ "ProtocolsList": list })).await.ok()["ProtocolsListArn"].clone(),
    ]
}

#[tokio::test]
async fn tags_are_added_overwritten_and_removed() {
    let world = World::new().await;
    for arn in objects(&world).await {
        assert_eq!(tags(&world, &arn).await, json!([]));
        let tag = |list: Value| {
            world.admin("TagResource", json!({ "ResourceArn": arn, "TagList": list }))
        };
        tag(json!([{ "Key": "b", "Value": "1" }, { "Key": "a", "Value": "" }])).await.ok();
        tag(json!([{ "Key": "b", "Value": "2" }, { "Key": "B", "Value": "3" }])).await.ok();
        assert_eq!(
            tags(&world, &arn).await,
            json!([{ "Key": "B", "Value": "3" }, { "Key": "a", "Value": "" }, { "Key": "b", "Value": "2" }])
        );
        let untag = json!({ "ResourceArn": arn, "TagKeys": ["b", "unknown"] });
        assert_eq!(world.admin("UntagResource", untag).await.ok(), json!({}));
        assert_eq!(
            tags(&world, &arn).await,
            json!([{ "Key": "B", "Value": "3" }, { "Key": "a", "Value": "" }])
        );
    }
}

#[tokio::test]
async fn tagging_a_policy_leaves_its_update_token_alone() {
    let world = World::new().await;
    let put = world.admin("PutPolicy", json!({ "Policy": audit("one") })).await.ok();
    let tags =
        json!({ "ResourceArn": put["PolicyArn"], "TagList": [{ "Key": "a", "Value": "b" }] });
    world.admin("TagResource", tags).await.ok();
    world.put(put["Policy"].clone()).await;
}

#[tokio::test]
async fn reserved_double_and_too_many_tags_are_refused() {
    let world = World::new().await;
    for arn in objects(&world).await {
        let tag = |list: Value| {
            world.admin("TagResource", json!({ "ResourceArn": arn, "TagList": list }))
        };
        let tags = |n: usize| {
            (0..n).map(|n| json!({ "Key": format!("k{n}"), "Value": "" })).collect::<Value>()
        };
        tag(json!([{ "Key": "aws:mine", "Value": "" }]))
            .await
            .refuses("InvalidInputException", "reserved");
        tag(json!([{ "Key": "a", "Value": "" }, { "Key": "a", "Value": "" }]))
            .await
            .refuses("InvalidInputException", "twice");
        tag(tags(50)).await.ok();
        tag(json!([{ "Key": "one more", "Value": "" }]))
            .await
            .refuses("LimitExceededException", "quota is 50");
    }
}

#[tokio::test]
async fn an_arn_of_nothing_of_ours_is_not_found() {
    let world = World::new().await;
    let arn = objects(&world).await[0].as_str().unwrap().to_owned();
    for wrong in [
        arn.replace(ADMIN, OTHER),
        arn.replace(REGION, "eu-west-2"),
        arn.replace("policy/", "protocols-list/"),
        arn.replace("arn:aws:", "arn:aws-cn:"),
        "no-arn".to_owned(),
    ] {
        let answer = world.admin("ListTagsForResource", json!({ "ResourceArn": wrong })).await;
        answer.refuses("ResourceNotFoundException", &wrong);
    }
}
