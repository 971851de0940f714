//! Properties over generated data: of each type's shape, with parts that do not belong.

use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, Just};

use super::*;
use crate::policy::shape::Shape;

/// Values of a shape; now and then null, a key left out, an unknown key, or another kind.
fn value_of(shape: &'static Shape) -> BoxedStrategy<Value> {
    let value = match shape {
        Shape::Text => prop_oneof![
            4 => prop::sample::select(&["ALLOW", "DENY", "NONE", "COUNT", "sg-1", "a\nb\\n", "é"][..])
                .prop_map(Value::from),
            1 => "[ -~]{0,12}".prop_map(Value::from),
        ]
        .boxed(),
        Shape::Flag => prop_oneof![
            4 => any::<bool>().prop_map(Value::from),
            1 => prop::sample::select(&["true", "TRUE", "False"][..]).prop_map(Value::from),
        ]
        .boxed(),
        Shape::Whole => prop_oneof![
            4 => prop_oneof![0i64..130, any::<i64>()].prop_map(Value::from),
            1 => (0i64..130).prop_map(|number| Value::from(format!("{number}.0"))),
            1 => (0u32..130).prop_map(|number| Value::from(f64::from(number))),
        ]
        .boxed(),
        Shape::Any => anything().boxed(),
        Shape::List(of) | Shape::ListOrNull(of) => {
            prop::collection::vec(value_of(of), 0..3).prop_map(Value::from).boxed()
        }
        Shape::IfSent(of) => value_of(of),
        Shape::Object(keys) => object_of(keys),
        Shape::TextOrObject(keys) => {
            prop_oneof![Just(json!("ALLOW")), object_of(keys)].boxed()
        }
    };
    prop_oneof![20 => value, 2 => Just(Value::Null), 1 => anything()].boxed()
}

fn object_of(keys: &'static [super::shape::Key]) -> BoxedStrategy<Value> {
    let members: Vec<BoxedStrategy<Option<Value>>> = keys
        .iter()
        .map(|(_, shape)| prop::option::weighted(0.6, value_of(shape)).boxed())
        .collect();
    (members, prop::option::weighted(0.2, anything()))
        .prop_map(|(values, unknown)| {
            let known = keys.iter().map(|(key, _)| (*key).to_owned()).zip(values);
            known
                .chain([("madeUp".to_owned(), unknown)])
                .filter_map(|(key, value)| Some((key, value?)))
                .collect()
        })
        .boxed()
}

fn anything() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(1),
        json!(1.5),
        json!("\r\n\\r"),
        json!([[], {}]),
        json!({"\n": [null, "x"]}),
    ])
}

fn any_document() -> impl Strategy<Value = Document> {
    prop::sample::select(PolicyType::ALL.to_vec()).prop_flat_map(|policy_type| {
        let Shape::Object(keys) = policy_type.facts().data else { panic!("data is an object") };
        (object_of(keys), prop::bool::weighted(0.9)).prop_map(move |(mut data, right)| {
            data["type"] = json!(if right { policy_type.as_str() } else { "WAF" });
            let mut document = document(
                policy_type.as_str(),
                policy_type.resource_types()[0].as_str(),
                &data.to_string(),
            );
            document.resource_set_ids = Some(vec!["s".into()]);
            document
        })
    })
}

/// The rules a document can break, told apart from those it cannot.
fn is_accepted(document: &Document) -> bool {
    parsed(document).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_echoed_means_the_same(document in any_document()) {
        prop_assert_eq!(parsed(&echo(&document)), parsed(&document));
    }

    #[test]
    fn an_echo_of_an_echo_is_the_echo(document in any_document()) {
        let once = echo(&document);
        prop_assert_eq!(echo(&once), once);
    }

    #[test]
    fn texts_that_are_no_data_are_refused_and_never_crash(text in ".{0,60}") {
        for policy_type in PolicyType::ALL {
            let mut document = document(policy_type.as_str(), VPC, &text);
            document.resource_type = policy_type.resource_types()[0].to_string();
            let _refused_or_not = parsed(&document);
            let _same = echo(&document);
        }
    }

    #[test]
    fn documents_survive_being_written(document in any_document()) {
        let text = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(serde_json::from_str::<Document>(&text).unwrap(), document);
    }
}

/// The generator must make documents of both sorts, or the properties above say little.
#[test]
fn some_generated_documents_are_accepted_and_some_are_not() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let total = 2_000;
    let accepted = (0..total)
        .filter(|_| is_accepted(&any_document().new_tree(&mut runner).unwrap().current()))
        .count();
    assert!((total / 50..total).contains(&accepted), "{accepted} of {total} accepted");
}
