use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::*;

#[test]
fn the_shapes_can_be_read_and_name_each_other() {
    for (service, structs, members) in [
        (Service::Ec2, 112, 558),
        (Service::Elb, 14, 47),
        (Service::ElbV2, 9, 35),
        (Service::Sts, 4, 13),
        (Service::CloudFront, 49, 187),
        (Service::S3, 5, 26),
    ] {
        let shapes = Shapes::of(service);
        assert_eq!(shapes.faults, Vec::<String>::new(), "{service:?}");
        assert_eq!(shapes.missing(), Vec::<&str>::new(), "{service:?}");
        assert_eq!(shapes.size(), (structs, members), "{service:?}");
    }
}

fn read(service: Service, action: &str, shape: &str, text: &str) -> Result<Value, String> {
    answer(service, action, shape, &parse(text.as_bytes())?)
}

/// What a security group with this inside is read as.
fn group(inside: &str) -> Result<Value, String> {
    let text = format!(
        "<DescribeSecurityGroupsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n  <requestId>r</requestId>\n  \
         <securityGroupInfo>\n    <item>{inside}</item>\n  </securityGroupInfo>\n</DescribeSecurityGroupsResponse>"
    );
    let answer =
        read(Service::Ec2, "DescribeSecurityGroups", "DescribeSecurityGroupsResult", &text)?;
    assert_eq!(answer["requestId"], "r", "what no shape knows stays");
    Ok(answer["SecurityGroups"][0].clone())
}

#[test]
fn elements_become_members_by_their_shape() {
    for (inside, expected) in [
        ("", json!({})),
        ("<groupId>sg-1</groupId>", json!({"GroupId": "sg-1"})),
        ("<groupDescription/>", json!({"Description": ""})),
        (
            "<groupDescription> a &amp; b&#10;c </groupDescription>",
            json!({"Description": " a & b\nc "}),
        ),
        ("<groupDescription><![CDATA[<b>]]></groupDescription>", json!({"Description": "<b>"})),
        // A list without members is there, and one that is not there is not.
        ("<ipPermissions/>", json!({"IpPermissions": []})),
        ("<ipPermissions>\n</ipPermissions>", json!({"IpPermissions": []})),
        ("<ipPermissions><item/></ipPermissions>", json!({"IpPermissions": [{}]})),
        (
            "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>-1</toPort><groups/>\
             <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges>\
             </item></ipPermissions>",
            json!({"IpPermissions": [{
                "IpProtocol": "tcp", "FromPort": 22, "ToPort": -1, "UserIdGroupPairs": [],
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}],
            }]}),
        ),
        // A number that is not told is not there.
        ("<ipPermissions><item><fromPort/></item></ipPermissions>", json!({"IpPermissions": [{}]})),
        // What a later edition of the API tells, by its own names.
        (
            "<newText>1</newText><newEmpty/><newSet><item>a</item><item><b>c</b></item></newSet><newThing><d>e</d></newThing>",
            json!({"newText": "1", "newEmpty": "", "newSet": ["a", {"b": "c"}], "newThing": {"d": "e"}}),
        ),
    ] {
        assert_eq!(group(inside).unwrap(), expected, "{inside}");
    }
}

#[test]
fn what_does_not_fit_its_shape_is_refused() {
    for (inside, expected) in [
        ("<groupId><x/></groupId>", "elements in `groupId` where text was expected"),
        ("<groupId>a</groupId><groupId>b</groupId>", "`groupId` comes 2 times"),
        (
            "<ipPermissions><member/></ipPermissions>",
            "`member` in the list `ipPermissions` of `item`",
        ),
        ("<ipPermissions>none</ipPermissions>", "text in the list `ipPermissions`"),
        (
            "<ipPermissions><item><fromPort>ssh</fromPort></item></ipPermissions>",
            "`fromPort` is `ssh` where a number was expected",
        ),
        ("<groupId>&nbsp;</groupId>", "XML with the unknown reference `nbsp`"),
    ] {
        assert_eq!(group(inside).unwrap_err(), expected, "{inside}");
    }
}

#[test]
fn what_is_no_whole_document_is_refused() {
    for text in [
        "",
        "   ",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "<a><b></a></b>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<a>\u{0}",
        "<a b=\"c></a>",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(parse(b"<a>\xff</a>").is_err());
    let whole = "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>";
    assert!(parse(whole.as_bytes()).is_ok());
    for end in 0..whole.len() {
        assert!(parse(&whole.as_bytes()[..end]).is_err(), "cut after {end} bytes");
    }
    let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert!(parse(deep(DEPTH_MAX).as_bytes()).is_ok());
    assert!(parse(deep(DEPTH_MAX + 1).as_bytes()).is_err());
}

#[test]
fn the_answer_must_be_of_the_call() {
    let of = |text: &str| read(Service::ElbV2, "DescribeTags", "DescribeTagsOutput", text);
    let inner =
        "<TagDescriptions><member><ResourceArn>a</ResourceArn><Tags/></member></TagDescriptions>";
    assert_eq!(
        of(&format!(
            "<DescribeTagsResponse><DescribeTagsResult>{inner}</DescribeTagsResult></DescribeTagsResponse>"
        )),
        Ok(json!({"TagDescriptions": [{"ResourceArn": "a", "Tags": []}]}))
    );
    assert_eq!(of("<DescribeTagsResponse/>"), Err("XML without `DescribeTagsResult`".to_owned()));
    assert_eq!(
        of("<html/>"),
        Err("XML of `html` where `DescribeTagsResponse` was expected".to_owned())
    );
    assert!(
        read(Service::CloudFront, "ListDistributions", "ListDistributionsResult", "<html/>")
            .is_err()
    );
    assert!(read(Service::S3, "ListObjectsV2", "ListObjectsV2Output", "<html/>").is_err());
    let tags = "<Tags><Items><Tag><Key>k</Key><Value>v</Value></Tag></Items></Tags>";
    assert_eq!(
        read(Service::CloudFront, "ListTagsForResource", "ListTagsForResourceResult", tags),
        Ok(json!({"Tags": {"Items": [{"Key": "k", "Value": "v"}]}}))
    );
    let objects = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>7</Size></Contents>\
                   <Contents><Key>b</Key></Contents><KeyCount>2</KeyCount></ListBucketResult>";
    assert_eq!(
        read(Service::S3, "ListObjectsV2", "ListObjectsV2Output", objects),
        Ok(
            json!({"IsTruncated": false, "Contents": [{"Key": "a", "Size": 7}, {"Key": "b"}], "KeyCount": 2})
        )
    );
}

/// A recorded answer, written as AWS wrote it, is read as it was recorded.
#[test]
fn recorded_answers_are_read_as_they_were_recorded() {
    let Some(folder) = palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data") else {
        return;
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, service) in [
        ("ec2", Service::Ec2),
        ("elasticloadbalancing", Service::ElbV2),
        ("cloudfront", Service::CloudFront),
    ] {
        for entry in fs::read_dir(folder.join("aws-api").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (_, rest) = file.split_once("__").unwrap();
            let action = rest.split_once('.').unwrap().1.rsplit_once('_').unwrap().0;
            let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let mut data = recorded["data"].clone();
            // The folder has answers of both generations of load balancers.
            let service = match data.get("LoadBalancerDescriptions") {
                Some(_) if service == Service::ElbV2 => Service::Elb,
                _ => service,
            };
            let is_classic = data["TagDescriptions"][0].get("LoadBalancerName").is_some();
            let service = if is_classic { Service::Elb } else { service };
            let Some(call) = crate::calls::find(service.name(), action) else { continue };
            if recorded["status_code"] != 200 {
                continue;
            }
            data.as_object_mut().unwrap().remove("ResponseMetadata");
            times(&mut data);
            let shapes = Shapes::of(service);
            let known = shapes.get(call.shape).unwrap();
            let mut body = String::new();
            write_object(shapes, known, &data, &mut body, &file);
            let text = match service {
                Service::Ec2 => format!("<{action}Response>{body}</{action}Response>"),
                Service::CloudFront => body,
                _ => format!(
                    "<{action}Response><{action}Result>{body}</{action}Result></{action}Response>"
                ),
            };
            assert_eq!(read(service, action, call.shape, &text).unwrap(), data, "{file}");
            *counts.entry(call.name()).or_default() += 1;
        }
    }
    let total: usize = counts.values().sum();
    assert!(total > 70 && counts.len() >= 14, "{total} {counts:?}");
}

/// Moments of a recording become text, as in XML.
fn times(value: &mut Value) {
    match value {
        Value::Object(members) if members.contains_key("__class__") => {
            let part = |name: &str| members[name].as_i64().unwrap();
            *value = json!(format!(
                "{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                part("year"),
                part("month"),
                part("day"),
                part("hour"),
                part("minute"),
                part("second"),
                part("microsecond")
            ));
        }
        Value::Object(members) => members.values_mut().for_each(times),
        Value::Array(items) => items.iter_mut().for_each(times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn write_object(shapes: &Shapes, known: &Struct, value: &Value, text: &mut String, file: &str) {
    for (name, value) in value.as_object().unwrap_or_else(|| panic!("{file}: {value}")) {
        let member = known.members.iter().find(|member| member.name == name);
        let member = member.unwrap_or_else(|| panic!("{file}: no shape knows `{name}`"));
        match (&member.kind, value) {
            (Kind::List { item: None, of }, Value::Array(items)) => {
                items.iter().for_each(|item| write(shapes, of, &member.wire, item, text, file));
            }
            (Kind::List { item: Some(item), of }, Value::Array(items)) => {
                text.push_str(&format!("<{}>", member.wire));
                items.iter().for_each(|value| write(shapes, of, item, value, text, file));
                text.push_str(&format!("</{}>", member.wire));
            }
            (kind, value) => write(shapes, kind, &member.wire, value, text, file),
        }
    }
}

fn write(shapes: &Shapes, kind: &Kind, name: &str, value: &Value, text: &mut String, file: &str) {
    text.push_str(&format!("<{name}>"));
    match (kind, value) {
        (Kind::Struct(shape), value) => {
            write_object(shapes, shapes.get(shape).unwrap(), value, text, file)
        }
        (Kind::Text, Value::String(value)) => {
            text.push_str(&value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        }
        (Kind::Bool, Value::Bool(_)) | (Kind::Integer | Kind::Float, Value::Number(_)) => {
            text.push_str(&value.to_string())
        }
        (kind, value) => panic!("{file}: `{name}` is {value} where {kind:?} was expected"),
    }
    text.push_str(&format!("</{name}>"));
}

/// Whatever becomes of a document on its way, it is read or refused, and never more than that.
#[test]
fn broken_documents_are_refused_or_read() {
    let whole = "<?xml version=\"1.0\"?><DescribeSecurityGroupsResponse xmlns=\"x\"><securityGroupInfo><item><groupId>sg-1</groupId>\
                 <ipPermissions><item><fromPort>22</fromPort><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item>\
                 </ipPermissions></item></securityGroupInfo><nextToken>a&amp;b</nextToken></DescribeSecurityGroupsResponse>";
    let seed = 20_261_130;
    let mut random = palisade_testkit::Rng::with_seed(seed);
    let (mut read_whole, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.truncate(at.max(1)),
                2 => bytes[at] = b"<>&/\"= "[random.usize(0..7)],
                _ => {
                    let end = random.usize(at..bytes.len());
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let answer = parse(&bytes).and_then(|root| {
            answer(Service::Ec2, "DescribeSecurityGroups", "DescribeSecurityGroupsResult", &root)
        });
        match answer {
            Ok(_) => read_whole += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(read_whole > 100 && refused > 1000, "{read_whole} {refused}");
}
