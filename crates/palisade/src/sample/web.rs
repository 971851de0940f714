//! Load balancers of the sample and the web ACLs in front of them (formats §9).

use serde_json::{Value, json};

use super::item::{ConfigurationItem, Place, iso};
use super::network::{Group, Network};
use super::policies::RULE_GROUP;
use super::prng::Prng;

/// A load balancer of ELBv2.
pub struct Balancer {
    /// Its ARN, which is its resource id too.
    pub arn: String,
    /// `app/NAME/ID`, as its interfaces describe it.
    pub label: String,
    name: String,
    kind: &'static str,
}

/// What is in front of a load balancer.
pub enum Protection {
    /// No web ACL; the attribute is there and empty.
    None,
    /// The web ACL with this ARN, by the balancer's own attribute.
    Attribute(String),
    /// The attributes were recorded before they told of web ACLs.
    Untold,
}

impl Balancer {
    /// An application load balancer.
    pub fn application(place: &Place, name: &str, prng: &mut Prng) -> Balancer {
        Balancer::new(place, name, "application", "app", prng)
    }

    /// A network load balancer.
    pub fn network(place: &Place, name: &str, prng: &mut Prng) -> Balancer {
        Balancer::new(place, name, "network", "net", prng)
    }

    fn new(
        place: &Place,
        name: &str,
        kind: &'static str,
        short: &str,
        prng: &mut Prng,
    ) -> Balancer {
        // Names of load balancers end at 32 characters.
        let name: String = name.chars().take(32).collect();
        let name = name.trim_end_matches('-').to_owned();
        let label = format!("{short}/{name}/{}", prng.hex16());
        let arn = format!(
            "arn:aws:elasticloadbalancing:{}:{}:loadbalancer/{label}",
            place.region, place.account
        );
        Balancer { arn, label, name, kind }
    }

    /// Its configuration item.
    pub fn item(
        &self,
        place: &Place,
        network: &Network,
        scheme: &str,
        groups: &[Group],
        protection: &Protection,
        captured_ms: i64,
    ) -> ConfigurationItem {
        let zones: Vec<Value> =
            network.subnets.iter().map(|subnet| json!({"subnetId": subnet})).collect();
        let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
        let mut configuration = json!({
            "availabilityZones": zones,
            "createdTime": iso(captured_ms),
            "dNSName": format!("{}.{}.elb.amazonaws.com", self.name, place.region),
            "loadBalancerArn": self.arn,
            "loadBalancerName": self.name,
            "scheme": scheme,
            "state": {"code": "active"},
            "type": self.kind,
            "vpcId": network.vpc,
        });
        if let (Some(body), false) = (configuration.as_object_mut(), ids.is_empty()) {
            body.insert("securityGroups".to_owned(), json!(ids));
        }
        ConfigurationItem::new(
            place,
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            &self.arn,
            captured_ms,
        )
        .named(&self.name)
        .arn(self.arn.clone())
        .zone("Multiple Availability Zones")
        .relates("Is contained in Vpc", "AWS::EC2::VPC", &network.vpc)
        .configuration(configuration)
        .supplement("LoadBalancerAttributes", self.attributes(protection))
        .supplement("Tags", json!([]))
    }

    fn attributes(&self, protection: &Protection) -> Value {
        let mut attributes = vec![("deletion_protection.enabled", "true")];
        if self.kind == "application" {
            attributes.push(("idle_timeout.timeout_seconds", "60"));
            let acl = match protection {
                Protection::None => Some(""),
                Protection::Attribute(arn) => Some(arn.as_str()),
                Protection::Untold => None,
            };
            if let Some(arn) = acl {
                attributes.push(("waf.enabled", if arn.is_empty() { "false" } else { "true" }));
                attributes.push(("waf.fail_open.enabled", "false"));
                attributes.push(("waf.web_acl_id", arn));
            }
        }
        attributes.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    }
}

/// A WAFv2 web ACL.
pub struct Acl {
    /// Its ARN, which is its resource id too.
    pub arn: String,
    id: String,
    name: String,
    managed: bool,
    rule_group: bool,
}

impl Acl {
    /// The web ACL that Firewall Manager made for a policy in an account and Region.
    pub fn of_policy(place: &Place, policy_name: &str, made_ms: i64) -> Acl {
        let mut prng =
            Prng::labelled(2, &format!("{}/{}/{policy_name}", place.account, place.region));
        let name = format!("FMManagedWebACLV2-{policy_name}-{made_ms}");
        Acl::new(place, name, true, true, prng.uuid())
    }

    /// One that Firewall Manager made, from which somebody took the policy's rule group.
    pub fn bare(place: &Place, policy_name: &str, made_ms: i64, prng: &mut Prng) -> Acl {
        let name = format!("FMManagedWebACLV2-{policy_name}-{made_ms}");
        Acl::new(place, name, true, false, prng.uuid())
    }

    /// One that a team made for itself.
    pub fn foreign(place: &Place, service: &str, prng: &mut Prng) -> Acl {
        Acl::new(place, format!("{service}-acl"), false, false, prng.uuid())
    }

    fn new(place: &Place, name: String, managed: bool, rule_group: bool, id: String) -> Acl {
        let arn =
            format!("arn:aws:wafv2:{}:{}:regional/webacl/{name}/{id}", place.region, place.account);
        Acl { arn, id, name, managed, rule_group }
    }

    /// Its configuration item, with the load balancers it stands before.
    pub fn item(&self, place: &Place, balancers: &[String], captured_ms: i64) -> ConfigurationItem {
        let groups = if self.rule_group { json!([self.rule_group_entry()]) } else { json!([]) };
        let item = ConfigurationItem::new(place, "AWS::WAFv2::WebACL", &self.arn, captured_ms)
            .named(&self.name)
            .arn(self.arn.clone())
            .configuration(json!({
                "ARN": self.arn,
                "Id": self.id,
                "Name": self.name,
                "Capacity": 700,
                "DefaultAction": {"Allow": {}},
                "Rules": [],
                "ManagedByFirewallManager": self.managed,
                "RetrofittedByFirewallManager": false,
                "PreProcessFirewallManagerRuleGroups": groups,
                "PostProcessFirewallManagerRuleGroups": [],
                "LabelNamespace": format!("awswaf:{}:webacl:{}:", place.account, self.name),
            }));
        balancers.iter().fold(item, |item, arn| {
            item.relates("Is associated with ", "AWS::ElasticLoadBalancingV2::LoadBalancer", arn)
        })
    }

    fn rule_group_entry(&self) -> Value {
        let name = format!("PREFMManaged-{}", self.name);
        json!({
            "Name": name,
            "Priority": 0,
            "FirewallManagerStatement": {
                "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": RULE_GROUP},
            },
            "OverrideAction": {"None": {}},
            "VisibilityConfig": {
                "SampledRequestsEnabled": true,
                "CloudWatchMetricsEnabled": true,
                "MetricName": name,
            },
        })
    }
}
