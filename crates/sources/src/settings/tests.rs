use super::*;

fn told(text: &str) -> Result<Settings, Vec<String>> {
    let lookup = Lookup {
        variable: &|name| (name == "SET").then(|| " secret-1\n".to_owned()),
        file: &|path| match path {
            "there" => Ok("secret-2\n".to_owned()),
            _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
        },
    };
    read(text, &lookup).map_err(|faults| {
        let shown = |fault: &Fault| format!("{:?} {fault}", fault.grade);
        faults.iter().map(shown).collect()
    })
}

const WHOLE: &str = r#"
[organization]
source = "aws"
role = "arn:aws:iam::111111111111:role/PalisadeReadOnly"
every = "15m"

[[inventory]]
source = "live"
role = "PalisadeReadOnly"
external_id = "env:SET"
regions = ["us-east-1", "eu-west-1"]
every = "1h"
at_once = 4
"#;

#[test]
fn a_whole_file_is_read() {
    let settings = told(WHOLE).unwrap();
    let organization = settings.organization.unwrap();
    assert_eq!(organization.every, Duration::from_secs(900));
    assert!(organization.external_id.is_none());
    let [InventorySource::Live(live)] = &*settings.inventory else {
        panic!("{:?}", settings.inventory)
    };
    assert_eq!((live.every, live.at_once), (Duration::from_secs(3600), 4));
    assert_eq!(live.regions.as_ref().unwrap().len(), 2);
    assert_eq!(&*live.external_id.as_ref().unwrap().0, "secret-1");
    assert!(!format!("{live:?}").contains("secret-1"));
    let empty = told("").unwrap();
    assert!(empty.organization.is_none() && empty.inventory.is_empty());
    let all =
        told("[[inventory]]\nsource = \"live\"\nrole = \"R\"\nregions = \"enabled\"").unwrap();
    assert!(matches!(&all.inventory[0], InventorySource::Live(live) if live.regions.is_none()));
}

#[test]
fn buckets_and_queues_are_read() {
    let url = "https://sqs.eu-west-1.amazonaws.com/1/q";
    let one = |more: &str| told(&format!("[[inventory]]\n{more}"));
    let bucket = one("source = \"s3\"\nbucket = \"b\"\nregion = \"eu-west-1\"").unwrap();
    let [InventorySource::Bucket(bucket)] = &*bucket.inventory else { panic!() };
    assert_eq!((&*bucket.prefix, bucket.every, &bucket.queue), ("", QUARTER, &None));
    let both =
        format!("source = \"s3\"\nbucket = \"b\"\nregion = \"eu-west-1\"\nqueue = \"{url}\"");
    let both = one(&both).unwrap();
    let [InventorySource::Bucket(both)] = &*both.inventory else { panic!() };
    assert_eq!((both.every, both.queue.as_deref()), (DAY, Some(url)));
    let queue = one(&format!("source = \"sqs\"\nqueue = \"{url}\"")).unwrap();
    let [InventorySource::Queue(queue)] = &*queue.inventory else { panic!() };
    assert_eq!(queue.region.as_str(), "eu-west-1");
    for (text, wanted) in [
        (
            "source = \"s3\"\nregion = \"eu-west-1\"",
            "Wrong 1:1: inventory[0].bucket: it is missing",
        ),
        ("source = \"s3\"\nbucket = \"b\"", "Wrong 1:1: inventory[0].region: it is missing"),
        (
            "source = \"sqs\"\nqueue = \"q\"\nregion = \"eu-west-1\"",
            "Wrong 3:9: inventory[0].queue: it is no URL of a queue: `https://sqs.REGION.amazonaws.com/…`",
        ),
        (
            "source = \"sqs\"\nqueue = \"http://localhost/q\"",
            "Wrong 1:1: inventory[0].region: it is missing",
        ),
        (
            "source = \"aggregator\"",
            "Wrong 2:10: inventory[0].source: `aggregator` is no source; it is `live` or `s3` or `sqs`",
        ),
    ] {
        assert_eq!(one(text).unwrap_err(), [wanted], "{text}");
    }
}

#[test]
fn each_fault_is_told_with_its_place() {
    for (line, replaced, wanted) in [
        (
            "source = \"aws\"",
            "source = \"azure\"",
            "Wrong 3:10: organization.source: `azure` is no source; it is `aws`",
        ),
        ("source = \"aws\"", "", "Wrong 2:1: organization.source: it is missing"),
        (
            "every = \"15m\"",
            "evry = \"15m\"",
            "Wrong 5:1: organization.evry: there is no `evry`; did you mean `every`?",
        ),
        (
            "every = \"15m\"",
            "every = \"15\"",
            "Wrong 5:9: organization.every: `15` is no span of time such as `30s`, `15m`, `1h` or `1d`",
        ),
        (
            "every = \"15m\"",
            "every = \"9s\"",
            "Wrong 5:9: organization.every: `9s` is not from 10 s to 7 days",
        ),
        (
            "every = \"15m\"",
            "every = 15",
            "Wrong 5:9: organization.every: it is a text that is not empty",
        ),
        (
            "role = \"arn:aws:iam::111111111111:role/PalisadeReadOnly\"",
            "role = \"PalisadeReadOnly\"",
            "Wrong 4:8: organization.role: it is no ARN of a role: `arn:aws:iam::111122223333:role/NAME`",
        ),
        (
            "role = \"PalisadeReadOnly\"",
            "role = \"a b\"",
            "Wrong 9:8: inventory[0].role: it is no name of a role, such as `PalisadeReadOnly`, which every account has",
        ),
        (
            "source = \"live\"",
            "source = \"life\"",
            "Wrong 8:10: inventory[0].source: `life` is no source; did you mean `live`?",
        ),
        (
            "\"env:SET\"",
            "\"env:UNSET\"",
            "Elsewhere 10:15: inventory[0].external_id: the variable `UNSET` is not set",
        ),
        (
            "\"env:SET\"",
            "\"file:nowhere\"",
            "Elsewhere 10:15: inventory[0].external_id: `nowhere` cannot be read: entity not found",
        ),
        (
            "\"env:SET\"",
            "\"a b\"",
            "Wrong 10:15: inventory[0].external_id: an ExternalId has 2 to 1,224 letters, digits or `=,.@:/-_+`",
        ),
        (
            "\"eu-west-1\"",
            "\"eu-west\"",
            "Wrong 11:25: inventory[0].regions: `eu-west` is not a Region: a Region has a code such as `eu-west-1`",
        ),
        (
            "[\"us-east-1\", \"eu-west-1\"]",
            "\"all\"",
            "Wrong 11:11: inventory[0].regions: it is a list of Regions such as `[\"eu-west-1\"]`, or \"enabled\"",
        ),
        (
            "at_once = 4",
            "at_once = 0",
            "Wrong 13:11: inventory[0].at_once: it is a whole number from 1 to 256",
        ),
        (
            "at_once = 4",
            "at_once = 257",
            "Wrong 13:11: inventory[0].at_once: it is a whole number from 1 to 256",
        ),
        (
            "[organization]",
            "[organisation]",
            "Wrong 2:2: organisation: there is no `organisation`; did you mean `organization`?",
        ),
        (
            "[[inventory]]",
            "[inventory]",
            "Wrong 7:1: inventory: it is a list of tables: `[[inventory]]`",
        ),
    ] {
        assert!(WHOLE.contains(line), "{line}");
        let faults = told(&WHOLE.replacen(line, replaced, 1)).unwrap_err();
        assert_eq!(faults, [wanted], "{replaced}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_broken_text_where_it_breaks() {
    let faults = told("[organization]\nsorce = \"aws\"\nevery = \"x\"\n").unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    let faults = told("[organization\nsource = 1").unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("Wrong 1:"), "{faults:?}");
    let file = told("[[inventory]]\nsource = \"live\"\nrole = \"R\"\nexternal_id = \"file:there\"");
    let file = file.unwrap();
    let [InventorySource::Live(live)] = &*file.inventory else { panic!() };
    assert_eq!(&*live.external_id.as_ref().unwrap().0, "secret-2");
}

#[test]
fn limits_hold_at_their_edges() {
    for (text, fine) in [("10s", true), ("7d", true), ("168h", true), ("9s", false), ("8d", false)]
    {
        assert_eq!(value::every(text).is_ok(), fine, "{text}");
    }
    let once = |number: usize| {
        told(&format!("[[inventory]]\nsource = \"live\"\nrole = \"R\"\nat_once = {number}")).is_ok()
    };
    assert!(once(AT_ONCE_MAX) && !once(AT_ONCE_MAX + 1));
}
