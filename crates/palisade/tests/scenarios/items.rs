//! The items of a scenario's deliveries: one line of its file each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Minute 0 of every scenario: 2026-10-31T00:00:00Z, a day before the tests' clock.
const DAY: &str = "20261031";
const DAY_MS: i64 = 1_793_404_800_000;
const MINUTE_MS: i64 = 60_000;

/// Where and when a delivery was made.
pub struct Place<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub minute: i64,
}

impl Place<'_> {
    /// As names of files have it.
    pub fn stamp(&self) -> String {
        format!("{DAY}T{:02}{:02}00Z", self.minute / 60, self.minute % 60)
    }
}

/// The items of one line; a leading `@n` says that the state was captured at minute n.
pub fn items(place: &Place<'_>, line: &str) -> Vec<Value> {
    let (minute, line) = match line.strip_prefix('@') {
        Some(rest) => {
            let (minute, line) = rest.split_once(' ').unwrap();
            (minute.parse().unwrap(), line.trim())
        }
        None => (place.minute, line),
    };
    if let Some(line) = line.strip_prefix("global ") {
        let mut all = items(&Place { minute, region: "us-east-1", ..*place }, line);
        all.iter_mut().for_each(|item| item["awsRegion"] = json!("global"));
        return all;
    }
    let (line, tags) = line.split_once(" | ").unwrap_or((line, ""));
    let tags: BTreeMap<&str, &str> =
        tags.split_whitespace().map(|tag| tag.split_once('=').unwrap()).collect();
    let (kind, rest) = line.split_once(' ').unwrap();
    let rest = rest.trim();
    let maker = Maker { place, minute, tags };
    match kind {
        "group" => {
            let (id, rules) = rest.split_once(' ').unwrap_or((rest, ""));
            vec![maker.group(id, rules)]
        }
        "groups" => {
            let (stem, rest) = rest.split_once(' ').unwrap();
            let (count, rules) = rest.split_once(' ').unwrap();
            let count: usize = count.parse().unwrap();
            (0..count).map(|at| maker.group(&format!("{stem}{at:04}"), rules)).collect()
        }
        "interface" => vec![maker.interface(rest)],
        "alb" => vec![maker.balancer(rest)],
        "acl" => vec![maker.acl(rest)],
        "distribution" => vec![maker.distribution(rest)],
        "recorder" => vec![maker.recorder(rest)],
        "classic" => vec![maker.classic_acl(rest)],
        "vpc" => vec![maker.vpc(rest)],
        "dns" => vec![maker.dns_association(rest)],
        "subnet" => vec![maker.subnet(rest)],
        "table" => vec![maker.table(rest)],
        "gateway" => vec![maker.gateway(rest)],
        "endpoint" => vec![maker.endpoint(rest)],
        "firewall" => vec![maker.firewall(rest)],
        "filter" => vec![maker.filter(rest)],
        "protection" => vec![maker.protection(rest)],
        "deleted" => {
            let (kind, id) = rest.split_once(' ').unwrap();
            let mut item = maker.item(kind, id, Value::Null, json!({}), json!([]));
            item["configurationItemStatus"] = json!("ResourceDeleted");
            vec![item]
        }
        "unrecorded" | "bodiless" => {
            let (of_type, id) = rest.split_once(' ').unwrap();
            let mut item = maker.item(of_type, id, Value::Null, json!({}), json!([]));
            if kind == "unrecorded" {
                item["configurationItemStatus"] = json!("ResourceNotRecorded");
            }
            vec![item]
        }
        other => panic!("{other} is no kind of item"),
    }
}

struct Maker<'a> {
    place: &'a Place<'a>,
    minute: i64,
    tags: BTreeMap<&'a str, &'a str>,
}

impl Maker<'_> {
    fn item(&self, kind: &str, id: &str, body: Value, supp: Value, related: Value) -> Value {
        let captured = DAY_MS + self.minute * MINUTE_MS;
        let time = format!("2026-10-31T{:02}:{:02}:00.000Z", self.minute / 60, self.minute % 60);
        json!({"configuration": body, "supplementaryConfiguration": supp, "relationships": related,
            "tags": self.tags, "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": time, "configurationStateId": captured,
            "awsAccountId": self.place.account, "configurationItemStatus": "OK",
            "resourceType": kind, "resourceId": id, "awsRegion": self.place.region})
    }

    /// Rules separated by `;`, each `in|out PROTOCOL PORTS RANGE`.
    fn group(&self, id: &str, rules: &str) -> Value {
        let (mut ingress, mut egress) = (Vec::new(), Vec::new());
        for rule in rules.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            let [direction, protocol, ports, range] =
                rule.split_whitespace().collect::<Vec<_>>()[..]
            else {
                panic!("`{rule}` is no rule");
            };
            let mut permission = json!({"ipProtocol": protocol, "userIdGroupPairs": [],
                "ipv4Ranges": [], "ipv6Ranges": [], "ipRanges": [], "prefixListIds": []});
            if range.contains(':') {
                permission["ipv6Ranges"] = json!([{"cidrIpv6": range}]);
            } else {
                permission["ipv4Ranges"] = json!([{"cidrIp": range}]);
                permission["ipRanges"] = json!([range]);
            }
            if ports != "*" {
                let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
                permission["fromPort"] = json!(from.parse::<i32>().unwrap());
                permission["toPort"] = json!(to.parse::<i32>().unwrap());
            }
            match direction {
                "in" => ingress.push(permission),
                "out" => egress.push(permission),
                other => panic!("{other} is no direction"),
            }
        }
        let body = json!({"groupId": id, "groupName": format!("name {id}"), "vpcId": "vpc-1",
            "ownerId": self.place.account, "ipPermissions": ingress, "ipPermissionsEgress": egress});
        self.item("AWS::EC2::SecurityGroup", id, body, json!({}), json!([]))
    }

    fn interface(&self, rest: &str) -> Value {
        let (id, groups) = rest.split_once(' ').unwrap();
        let groups: Vec<Value> =
            groups.split(',').map(|id| json!({"groupId": id.trim(), "groupName": "x"})).collect();
        let body = json!({"networkInterfaceId": id, "groups": groups, "vpcId": "vpc-1",
            "status": "in-use"});
        self.item("AWS::EC2::NetworkInterface", id, body, json!({}), json!([]))
    }

    fn balancer_arn(&self, name: &str) -> String {
        let Place { account, region, .. } = self.place;
        format!(
            "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/0123456789abcdef"
        )
    }

    fn acl_arn(&self, name: &str) -> String {
        let Place { account, region, .. } = self.place;
        format!("arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/0000")
    }

    /// `NAME ACL`, `NAME classic:ID`, `NAME bare`, or `NAME unsaid` as old items are.
    fn balancer(&self, rest: &str) -> Value {
        let (name, acl) = rest.split_once(' ').unwrap();
        let arn = self.balancer_arn(name);
        let attributes = match acl {
            "unsaid" => json!([]),
            "bare" => json!([{"key": "waf.web_acl_id", "value": ""}]),
            acl => {
                let classic = acl.strip_prefix("classic:").map(str::to_owned);
                let named = classic.unwrap_or_else(|| self.acl_arn(acl));
                json!([{"key": "waf.web_acl_id", "value": named}])
            }
        };
        let body = json!({"loadBalancerArn": arn, "loadBalancerName": name, "type": "application",
            "vpcId": "vpc-1"});
        let kind = "AWS::ElasticLoadBalancingV2::LoadBalancer";
        let mut item =
            self.item(kind, &arn, body, json!({"LoadBalancerAttributes": attributes}), json!([]));
        item["ARN"] = json!(arn);
        item
    }

    /// `ID ACL|bare`
    fn distribution(&self, rest: &str) -> Value {
        let (id, acl) = rest.split_once(' ').unwrap();
        let acl = if acl == "bare" { String::new() } else { self.acl_arn(acl) };
        let body = json!({"arn": self.distribution_arn(id),
            "distributionConfig": {"enabled": true, "webACLId": acl}});
        self.item("AWS::CloudFront::Distribution", id, body, json!({}), json!([]))
    }

    fn distribution_arn(&self, id: &str) -> String {
        format!("arn:aws:cloudfront::{}:distribution/{id}", self.place.account)
    }

    /// `NAME fms|customer GROUP,GROUP|none [BALANCER…]`
    fn acl(&self, rest: &str) -> Value {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [name, maker, groups, balancers @ ..] = words.as_slice() else { panic!("{rest}") };
        let arn = self.acl_arn(name);
        let groups: Vec<Value> = groups
            .split(',')
            .filter(|group| *group != "none")
            .enumerate()
            .map(|(priority, group)| {
                json!({"Name": group, "Priority": priority, "OverrideAction": {"None": {}},
                    "FirewallManagerStatement": {
                        "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": group}}})
            })
            .collect();
        let related: Vec<Value> = balancers
            .iter()
            .map(|name| {
                json!({"resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    "resourceId": self.balancer_arn(name), "name": "Is associated with "})
            })
            .collect();
        let body = json!({"ARN": arn, "Id": "0000", "Name": name, "DefaultAction": {"Allow": {}},
            "Rules": [], "ManagedByFirewallManager": *maker == "fms",
            "RetrofittedByFirewallManager": false,
            "PreProcessFirewallManagerRuleGroups": groups,
            "PostProcessFirewallManagerRuleGroups": []});
        self.item("AWS::WAFv2::WebACL", &arn, body, json!({}), json!(related))
    }

    /// `ID NAME GROUP,GROUP|none [BALANCER…]`; a group that ends in `!` counts.
    fn classic_acl(&self, rest: &str) -> Value {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [id, name, groups, balancers @ ..] = words.as_slice() else { panic!("{rest}") };
        let groups = groups.split(',').filter(|group| *group != "none").zip(1..);
        let rules: Vec<Value> = groups
            .map(|(group, priority)| {
                let action = if group.ends_with('!') { "COUNT" } else { "NONE" };
                json!({"ruleId": group.trim_end_matches('!'), "priority": priority,
                    "type": "GROUP", "overrideAction": {"type": action}, "excludedRules": []})
            })
            .collect();
        let on: Vec<Value> =
            balancers.iter().map(|name| json!({"resourceARN": self.balancer_arn(name)})).collect();
        let body = json!({"webACLId": id, "name": name, "defaultAction": {"type": "ALLOW"},
            "rulesList": rules, "associationList": on});
        self.item("AWS::WAFRegional::WebACL", id, body, json!({}), json!([]))
    }

    /// `ID [OWNER]`
    fn vpc(&self, rest: &str) -> Value {
        let (id, owner) = rest.split_once(' ').unwrap_or((rest, self.place.account));
        let body = json!({"vpcId": id, "ownerId": owner, "cidrBlock": "10.0.0.0/16"});
        self.item("AWS::EC2::VPC", id, body, json!({}), json!([]))
    }

    /// `ID VPC ZONE RANGE`
    fn subnet(&self, rest: &str) -> Value {
        let [id, vpc, zone, range] = words(rest);
        let body = json!({"subnetId": id, "vpcId": vpc, "availabilityZone": zone,
            "cidrBlock": range, "ownerId": self.place.account});
        self.item("AWS::EC2::Subnet", id, body, json!({}), json!([]))
    }

    /// `ID VPC SUBNET|GATEWAY|main,… ROUTE…`, a route `DESTINATION>TARGET`, `!` behind a black hole.
    fn table(&self, rest: &str) -> Value {
        let mut all = rest.split_whitespace();
        let (id, vpc, on) = (all.next().unwrap(), all.next().unwrap(), all.next().unwrap());
        let on = on.split(',').map(|on| match on {
            "main" => json!({"main": true}),
            gateway if gateway.starts_with("igw") => json!({"main": false, "gatewayId": gateway}),
            subnet => json!({"main": false, "subnetId": subnet}),
        });
        let on: Vec<Value> = on.collect();
        let routes = all.map(|route| {
            let (destination, target) = route.split_once('>').unwrap();
            let (target, state) = match target.strip_suffix('!') {
                Some(target) => (target, "blackhole"),
                None => (target, "active"),
            };
            let key =
                if target.starts_with("pcx") { "vpcPeeringConnectionId" } else { "gatewayId" };
            json!({"destinationCidrBlock": destination, "state": state, key: target})
        });
        let routes: Vec<Value> = routes.collect();
        let body = json!({"routeTableId": id, "vpcId": vpc, "routes": routes, "associations": on});
        self.item("AWS::EC2::RouteTable", id, body, json!({}), json!([]))
    }

    /// `ID VPC`
    fn gateway(&self, rest: &str) -> Value {
        let [id, vpc] = words(rest);
        let body = json!({"internetGatewayId": id,
            "attachments": [{"vpcId": vpc, "state": "available"}]});
        self.item("AWS::EC2::InternetGateway", id, body, json!({}), json!([]))
    }

    /// `ID VPC SUBNET`, of a firewall's kind
    fn endpoint(&self, rest: &str) -> Value {
        let [id, vpc, subnet] = words(rest);
        let body = json!({"vpcEndpointId": id, "vpcEndpointType": "GatewayLoadBalancer",
            "vpcId": vpc, "subnetIds": [subnet], "state": "available"});
        self.item("AWS::EC2::VPCEndpoint", id, body, json!({}), json!([]))
    }

    /// `NAME VPC SUBNET,…`; it filters by `arn:fp`
    fn firewall(&self, rest: &str) -> Value {
        let [name, vpc, subnets] = words(rest);
        let subnets: Vec<Value> =
            subnets.split(',').map(|subnet| json!({"subnetId": subnet})).collect();
        let Place { account, region, .. } = self.place;
        let arn = format!("arn:aws:network-firewall:{region}:{account}:firewall/{name}");
        let body = json!({"firewall": {"firewallName": name, "firewallPolicyArn": "arn:fp",
            "firewallArn": arn, "vpcId": vpc, "subnetMappings": subnets}});
        self.item("AWS::NetworkFirewall::Firewall", vpc, body, json!({}), json!([]))
    }

    /// `GROUP,…`: the stateful rule groups of `arn:fp`
    fn filter(&self, rest: &str) -> Value {
        let groups: Vec<Value> =
            rest.split(',').map(|group| json!({"resourceArn": format!("arn:{group}")})).collect();
        let body = json!({"firewallPolicy": {"statelessDefaultActions": ["aws:forward_to_sfe"],
                "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
                "statefulRuleGroupReferences": groups},
            "firewallPolicyResponse": {"firewallPolicyArn": "arn:fp"}});
        self.item("AWS::NetworkFirewall::FirewallPolicy", "fp", body, json!({}), json!([]))
    }

    /// `ID VPC GROUP PRIORITY STATUS [NAME]`
    fn dns_association(&self, rest: &str) -> Value {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [id, vpc, group, priority, status, name @ ..] = words.as_slice() else {
            panic!("{rest}")
        };
        let body = json!({"Id": id, "VpcId": vpc, "FirewallRuleGroupId": group,
            "Priority": priority.parse::<u16>().unwrap(), "Status": status,
            "Name": name.first().unwrap_or(&"own")});
        let kind = "AWS::Route53Resolver::FirewallRuleGroupAssociation";
        self.item(kind, id, body, json!({}), json!([]))
    }

    /// `all`, `stopped`, `internal` (service-linked), or types separated by commas.
    fn recorder(&self, rest: &str) -> Value {
        let group = match rest {
            "all" | "stopped" | "internal" => json!({"AllSupported": true}),
            types => {
                let types: Vec<&str> = types.split(',').collect();
                json!({"AllSupported": false, "ResourceTypes": types,
                    "RecordingStrategy": {"UseOnly": "INCLUSION_BY_RESOURCE_TYPES"}})
            }
        };
        let mut body = json!({"Recording": rest != "stopped", "RecordingGroup": group});
        let mut name = "default";
        if rest == "internal" {
            name = "AWSConfigurationRecorderForX_1";
            body["RecordingScope"] = json!("INTERNAL");
        }
        self.item("AWS::Config::ConfigurationRecorder", name, body, json!({}), json!([]))
    }

    /// `ID BALANCER|BALANCER@REGION|distribution:ID [ENABLED|DISABLED]`; the latter two are of the
    /// type that is global.
    fn protection(&self, rest: &str) -> Value {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (kind, arn) = if let Some(id) = words[1].strip_prefix("distribution:") {
            ("AWS::Shield::Protection", self.distribution_arn(id))
        } else if let Some((name, region)) = words[1].split_once('@') {
            let there = Maker {
                place: &Place { region, ..*self.place },
                minute: self.minute,
                tags: BTreeMap::new(),
            };
            ("AWS::Shield::Protection", there.balancer_arn(name))
        } else {
            ("AWS::ShieldRegional::Protection", self.balancer_arn(words[1]))
        };
        let mut body = json!({"Id": words[0], "Name": words[0], "ResourceArn": arn});
        if let Some(status) = words.get(2) {
            body["ApplicationLayerAutomaticResponseConfig"] =
                json!({"Status": status, "Action": {"Block": {}}});
        }
        self.item(kind, words[0], body, json!({}), json!([]))
    }
}

fn words<const COUNT: usize>(rest: &str) -> [&str; COUNT] {
    let words: Vec<&str> = rest.split_whitespace().collect();
    words.try_into().unwrap_or_else(|words| panic!("{words:?} are not {COUNT}"))
}
