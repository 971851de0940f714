//! The items of one snapshot, in the delivered key order and with bodies of the sizes that real
//! accounts have: about two kilobytes an item.

use std::fmt::Write as _;

use crate::fleet::{AUDIT_GROUP, WEB_ACL_POLICY};
use crate::prng::Prng;

/// Whose snapshot it is.
#[derive(Clone, Debug)]
pub struct Place {
    /// `awsAccountId`
    pub account: String,
    /// `awsRegion`
    pub region: String,
}

/// Writes items and counts what breaks the two questions.
pub struct Maker<'a> {
    place: &'a Place,
    prng: Prng,
    out: &'a mut String,
    first: bool,
    vpc: String,
    groups: Vec<String>,
    balancers: Vec<String>,
    /// Violators under the two questions.
    pub found: [u64; 2],
}

/// What an item is made of besides what its place tells.
struct Parts<'p> {
    resource_type: &'p str,
    id: &'p str,
    name: &'p str,
    arn: &'p str,
    relationships: &'p str,
    configuration: &'p str,
    supplementary: &'p str,
    global: bool,
}

/// Resource types that no policy of a fleet reads, with the share of each among a hundred.
const BYSTANDERS: [(&str, u64); 9] = [
    ("AWS::CloudFormation::Stack", 20),
    ("AWS::Lambda::Function", 18),
    ("AWS::S3::Bucket", 14),
    ("AWS::IAM::Role", 12),
    ("AWS::Logs::LogGroup", 10),
    ("AWS::CloudWatch::Alarm", 8),
    ("AWS::EC2::Volume", 8),
    ("AWS::EC2::Subnet", 6),
    ("AWS::KMS::Key", 4),
];

impl<'a> Maker<'a> {
    /// A maker that appends to `out`.
    pub fn new(place: &'a Place, mut prng: Prng, out: &'a mut String) -> Self {
        let vpc = format!("vpc-0{:016x}", prng.next());
        Maker {
            place,
            prng,
            out,
            first: true,
            vpc,
            groups: Vec::new(),
            balancers: Vec::new(),
            found: [0, 0],
        }
    }

    /// `items` items: 1 recorder, 5 in a hundred security groups, 2 load balancers, a web ACL, 6
    /// interfaces, 3 instances, and bystanders.
    pub fn shard(&mut self, administrator: bool, items: u64) {
        let (groups, balancers, interfaces, instances) =
            (items / 20, items / 50, items * 6 / 100, items * 3 / 100);
        self.recorder();
        if administrator {
            self.group(AUDIT_GROUP, Rules::Audit);
        }
        for n in u64::from(administrator)..groups {
            let id = format!("sg-0{:016x}", self.prng.next());
            let open = n > 0 && self.prng.percent(4);
            self.found[0] += u64::from(open);
            self.group(&id, if open { Rules::Open } else { Rules::Tidy });
            self.groups.push(id);
        }
        let acl = format!(
            "arn:aws:wafv2:{}:{}:regional/webacl/FMManagedWebACLV2-{WEB_ACL_POLICY}-1760000000000/{}",
            self.place.region,
            self.place.account,
            self.prng.uuid()
        );
        for _ in 0..balancers {
            let bare = self.prng.percent(6);
            self.found[1] += u64::from(bare);
            self.balancer(if bare { "" } else { &acl });
        }
        self.web_acl(&acl);
        for _ in 0..interfaces {
            self.interface();
        }
        for _ in 0..instances {
            self.instance();
        }
        let made = 2 + groups + balancers + interfaces + instances;
        for _ in made..items {
            self.bystander();
        }
    }

    fn item(&mut self, parts: &Parts<'_>) {
        let captured = 1_760_000_000_000 + self.prng.below(10_000_000_000);
        let second = self.prng.below(60);
        let team = ["platform", "storefront", "checkout", "logistics", "data"]
            [self.prng.below(5) as usize];
        let Place { account, region } = self.place;
        let region = if parts.global { "global" } else { region };
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        let Parts {
            resource_type, id, name, arn, relationships, configuration, supplementary, ..
        } = parts;
        let _ = write!(
            self.out,
            r#"{{"relatedEvents":[],"relationships":[{relationships}],"configuration":{configuration},"supplementaryConfiguration":{supplementary},"tags":{{"team":"{team}","managed-by":"terraform","Name":"{name}"}},"configurationItemVersion":"1.3","configurationItemCaptureTime":"2026-02-01T03:04:{second:02}.123Z","configurationStateId":{captured},"awsAccountId":"{account}","configurationItemStatus":"ResourceDiscovered","resourceType":"{resource_type}","resourceId":"{id}","resourceName":"{name}","ARN":"{arn}","awsRegion":"{region}","availabilityZone":"Not Applicable","configurationStateMd5Hash":"","resourceCreationTime":"2025-03-04T05:06:07.000Z"}}"#
        );
    }

    fn recorder(&mut self) {
        self.item(&Parts {
            resource_type: "AWS::Config::ConfigurationRecorder",
            id: "default",
            name: "default",
            arn: "arn:aws:config:recorder/default",
            relationships: "",
            configuration: r#"{"Name":"default","RecordingGroup":{"AllSupported":true,"IncludeGlobalResourceTypes":true,"ResourceTypes":[],"ExclusionByResourceTypes":{"ResourceTypes":[]},"RecordingStrategy":{"UseOnly":"ALL_SUPPORTED_RESOURCE_TYPES"}},"RecordingMode":{"RecordingFrequency":"CONTINUOUS","RecordingModeOverrides":[]}}"#,
            supplementary: "{}",
            global: false,
        });
    }

    fn ec2_arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:ec2:{}:{}:{kind}/{id}", self.place.region, self.place.account)
    }

    fn contained(&self) -> String {
        format!(
            r#"{{"resourceId":"{}","resourceName":null,"resourceType":"AWS::EC2::VPC","name":"Is contained in Vpc"}}"#,
            self.vpc
        )
    }

    fn group(&mut self, id: &str, rules: Rules) {
        let account = &self.place.account;
        let peer = self.groups.first().map_or(id, String::as_str);
        let from_group = |port: u16| {
            format!(
                r#"{{"fromPort":{port},"ipProtocol":"tcp","ipv6Ranges":[],"prefixListIds":[],"toPort":{port},"userIdGroupPairs":[{{"groupId":"{peer}","userId":"{account}"}}],"ipv4Ranges":[],"ipRanges":[]}}"#
            )
        };
        let cidr = |port: u16, cidr: &str| {
            format!(
                r#"{{"fromPort":{port},"ipProtocol":"tcp","ipv6Ranges":[],"prefixListIds":[],"toPort":{port},"userIdGroupPairs":[],"ipv4Ranges":[{{"cidrIp":"{cidr}"}}],"ipRanges":["{cidr}"]}}"#
            )
        };
        let ingress = match rules {
            Rules::Audit => vec![cidr(22, "0.0.0.0/0"), cidr(3389, "0.0.0.0/0")],
            Rules::Open => vec![cidr(443, "10.0.0.0/8"), cidr(22, "0.0.0.0/0"), from_group(5432)],
            Rules::Tidy => vec![
                cidr(443, "0.0.0.0/0"),
                cidr(9100, "10.20.0.0/16"),
                from_group(8080),
                from_group(5432),
            ],
        };
        let egress = match rules {
            Rules::Audit => "",
            Rules::Open | Rules::Tidy => {
                r#"{"ipProtocol":"tcp","fromPort":443,"toPort":443,"ipv6Ranges":[],"prefixListIds":[],"userIdGroupPairs":[],"ipv4Ranges":[{"cidrIp":"0.0.0.0/0"}],"ipRanges":["0.0.0.0/0"]}"#
            }
        };
        let name = format!("service-{}", self.prng.below(1_000));
        let configuration = format!(
            r#"{{"description":"{name} of the fleet","groupName":"{name}","ipPermissions":[{}],"ownerId":"{account}","groupId":"{id}","ipPermissionsEgress":[{egress}],"tags":[{{"key":"team","value":"platform"}}],"vpcId":"{}"}}"#,
            ingress.join(","),
            self.vpc
        );
        self.item(&Parts {
            resource_type: "AWS::EC2::SecurityGroup",
            id,
            name: &name,
            arn: &self.ec2_arn("security-group", id),
            relationships: &self.contained(),
            configuration: &configuration,
            supplementary: "{}",
            global: false,
        });
    }

    fn balancer(&mut self, acl: &str) {
        let Place { account, region } = self.place;
        let name = format!("front-{}", self.prng.below(10_000));
        let arn = format!(
            "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{:016x}",
            self.prng.next()
        );
        let group = self.groups.first().cloned().unwrap_or_default();
        let zone = |letter: char| {
            format!(
                r#"{{"zoneName":"{region}{letter}","subnetId":"subnet-0123456789abcdef{letter}","loadBalancerAddresses":[]}}"#
            )
        };
        let configuration = format!(
            r#"{{"loadBalancerArn":"{arn}","dNSName":"{name}-1234567890.{region}.elb.amazonaws.com","canonicalHostedZoneId":"Z1H1FL5HABSF5","createdTime":"2025-03-27T19:05:52.900Z","loadBalancerName":"{name}","scheme":"internet-facing","vpcId":"{}","state":{{"code":"active","reason":null}},"type":"application","availabilityZones":[{},{},{}],"securityGroups":["{group}"],"ipAddressType":"ipv4"}}"#,
            self.vpc,
            zone('a'),
            zone('b'),
            zone('c')
        );
        let supplementary = format!(
            r#"{{"LoadBalancerAttributes":[{{"key":"access_logs.s3.enabled","value":"false"}},{{"key":"idle_timeout.timeout_seconds","value":"60"}},{{"key":"deletion_protection.enabled","value":"true"}},{{"key":"routing.http2.enabled","value":"true"}},{{"key":"waf.enabled","value":"{}"}},{{"key":"waf.web_acl_id","value":"{acl}"}}],"Tags":[]}}"#,
            !acl.is_empty()
        );
        self.item(&Parts {
            resource_type: "AWS::ElasticLoadBalancingV2::LoadBalancer",
            id: &arn,
            name: &name,
            arn: &arn,
            relationships: &self.contained(),
            configuration: &configuration,
            supplementary: &supplementary,
            global: false,
        });
        if !acl.is_empty() {
            self.balancers.push(arn);
        }
    }

    fn web_acl(&mut self, arn: &str) {
        let name = format!("FMManagedWebACLV2-{WEB_ACL_POLICY}-1760000000000");
        let relationships: Vec<String> = self
            .balancers
            .iter()
            .map(|balancer| format!(r#"{{"resourceId":"{balancer}","resourceType":"AWS::ElasticLoadBalancingV2::LoadBalancer","name":"Is associated with "}}"#))
            .collect();
        let configuration = format!(
            r#"{{"ARN":"{arn}","Id":"{}","Name":"{name}","Capacity":0,"DefaultAction":{{"Allow":{{}}}},"Rules":[],"ManagedByFirewallManager":true,"RetrofittedByFirewallManager":false,"PreProcessFirewallManagerRuleGroups":[],"PostProcessFirewallManagerRuleGroups":[],"LabelNamespace":"awswaf:{}:webacl:{name}:"}}"#,
            arn.rsplit('/').next().unwrap_or_default(),
            self.place.account
        );
        self.item(&Parts {
            resource_type: "AWS::WAFv2::WebACL",
            id: arn,
            name: &name,
            arn,
            relationships: &relationships.join(","),
            configuration: &configuration,
            supplementary: "{}",
            global: false,
        });
    }

    fn interface(&mut self) {
        let Place { account, region } = self.place;
        let id = format!("eni-0{:016x}", self.prng.next());
        let (a, b) = (self.prng.below(250), self.prng.below(250));
        let group = self.a_group();
        let configuration = format!(
            r#"{{"association":null,"attachment":{{"attachTime":"2025-08-14T21:00:00.000Z","attachmentId":"eni-attach-0{:016x}","deleteOnTermination":false,"deviceIndex":1,"instanceId":null,"instanceOwnerId":"amazon-elb","status":"attached"}},"availabilityZone":"{region}a","description":"ELB app/front/{:016x}","groups":[{{"groupName":"service","groupId":"{group}"}}],"interfaceType":"interface","ipv6Addresses":[],"macAddress":"00:aa:11:22:bb:33","networkInterfaceId":"{id}","outpostArn":null,"ownerId":"{account}","privateDnsName":"ip-10-20-{a}-{b}.{region}.compute.internal","privateIpAddress":"10.20.{a}.{b}","privateIpAddresses":[{{"association":null,"primary":true,"privateDnsName":"ip-10-20-{a}-{b}.{region}.compute.internal","privateIpAddress":"10.20.{a}.{b}"}}],"requesterId":"amazon-elb","requesterManaged":true,"sourceDestCheck":true,"status":"in-use","subnetId":"subnet-0123456789abcdef0","tagSet":[],"vpcId":"{}"}}"#,
            self.prng.next(),
            self.prng.next(),
            self.vpc
        );
        let relationships = format!(
            r#"{{"resourceId":"{group}","resourceName":null,"resourceType":"AWS::EC2::SecurityGroup","name":"Is associated with SecurityGroup"}},{}"#,
            self.contained()
        );
        self.item(&Parts {
            resource_type: "AWS::EC2::NetworkInterface",
            id: &id,
            name: "",
            arn: &self.ec2_arn("network-interface", &id),
            relationships: &relationships,
            configuration: &configuration,
            supplementary: "{}",
            global: false,
        });
    }

    fn instance(&mut self) {
        let Place { account, region } = self.place;
        let id = format!("i-0{:016x}", self.prng.next());
        let eni = format!("eni-0{:016x}", self.prng.next());
        let group = self.a_group();
        let (a, b) = (self.prng.below(250), self.prng.below(250));
        let configuration = format!(
            r#"{{"amiLaunchIndex":0,"imageId":"ami-0123456789abcdef0","instanceId":"{id}","instanceType":"m7g.large","kernelId":null,"keyName":null,"launchTime":"2025-10-06T09:30:08.000Z","monitoring":{{"state":"disabled"}},"placement":{{"availabilityZone":"{region}c","affinity":null,"groupName":"","partitionNumber":null,"hostId":null,"tenancy":"default","spreadDomain":null,"hostResourceGroupArn":null}},"platform":null,"privateDnsName":"ip-10-20-{a}-{b}.{region}.compute.internal","privateIpAddress":"10.20.{a}.{b}","productCodes":[],"publicDnsName":"","publicIpAddress":null,"ramdiskId":null,"state":{{"code":16,"name":"running"}},"stateTransitionReason":"","subnetId":"subnet-0123456789abcdef0","vpcId":"{vpc}","architecture":"arm64","blockDeviceMappings":[{{"deviceName":"/dev/sda1","ebs":{{"attachTime":"2025-10-06T09:30:09.000Z","deleteOnTermination":true,"status":"attached","volumeId":"vol-0565e34cfcde0c07e"}}}}],"clientToken":"746A24DF-8746-451B-A9D2-0D7548B9A091","ebsOptimized":true,"enaSupport":true,"hypervisor":"xen","iamInstanceProfile":null,"instanceLifecycle":null,"elasticGpuAssociations":[],"elasticInferenceAcceleratorAssociations":[],"networkInterfaces":[{{"association":null,"attachment":{{"attachTime":"2025-10-06T09:30:08.000Z","attachmentId":"eni-attach-055fed432a34ccc6a","deleteOnTermination":true,"deviceIndex":0,"status":"attached","networkCardIndex":0}},"description":"","groups":[{{"groupName":"service","groupId":"{group}"}}],"ipv6Addresses":[],"macAddress":"0a:a7:1c:60:bc:13","networkInterfaceId":"{eni}","ownerId":"{account}","privateDnsName":"ip-10-20-{a}-{b}.{region}.compute.internal","privateIpAddress":"10.20.{a}.{b}","privateIpAddresses":[{{"association":null,"primary":true,"privateIpAddress":"10.20.{a}.{b}"}}],"sourceDestCheck":true,"status":"in-use","subnetId":"subnet-0123456789abcdef0","vpcId":"{vpc}","interfaceType":"interface"}}],"outpostArn":null,"rootDeviceName":"/dev/sda1","rootDeviceType":"ebs","securityGroups":[{{"groupName":"service","groupId":"{group}"}}],"sourceDestCheck":true,"spotInstanceRequestId":null,"sriovNetSupport":null,"stateReason":null,"tags":[{{"key":"team","value":"platform"}}],"virtualizationType":"hvm","cpuOptions":{{"coreCount":2,"threadsPerCore":1}},"capacityReservationId":null,"hibernationOptions":{{"configured":false}},"licenses":[],"metadataOptions":{{"state":"applied","httpTokens":"required","httpPutResponseHopLimit":1,"httpEndpoint":"enabled"}},"enclaveOptions":{{"enabled":false}}}}"#,
            vpc = self.vpc
        );
        let relationships = format!(
            r#"{{"resourceId":"{eni}","resourceName":null,"resourceType":"AWS::EC2::NetworkInterface","name":"Contains NetworkInterface"}},{{"resourceId":"{group}","resourceName":null,"resourceType":"AWS::EC2::SecurityGroup","name":"Is associated with SecurityGroup"}},{}"#,
            self.contained()
        );
        self.item(&Parts {
            resource_type: "AWS::EC2::Instance",
            id: &id,
            name: "",
            arn: &self.ec2_arn("instance", &id),
            relationships: &relationships,
            configuration: &configuration,
            supplementary: "{}",
            global: false,
        });
    }

    fn a_group(&mut self) -> String {
        let at = self.prng.below(self.groups.len() as u64) as usize;
        self.groups.get(at).cloned().unwrap_or_default()
    }

    /// Something that no policy reads: a third of its body is text that holds JSON, as AWS Config
    /// writes supplementary configuration.
    fn bystander(&mut self) {
        let mut at = self.prng.below(100);
        let mut resource_type = BYSTANDERS[0].0;
        for (kind, share) in BYSTANDERS {
            if at < share {
                resource_type = kind;
                break;
            }
            at -= share;
        }
        let short = resource_type.rsplit(':').next().unwrap_or_default().to_lowercase();
        let id = format!("{short}-{:016x}", self.prng.next());
        let arn = self.ec2_arn(&short, &id);
        let mut configuration = format!(
            r#"{{"name":"{id}","arn":"{arn}","createdTime":"2025-03-04T05:06:07.000Z","enabled":true,"size":{},"settings":["#,
            self.prng.below(100_000)
        );
        for n in 0..2 + self.prng.below(6) {
            if n > 0 {
                configuration.push(',');
            }
            let _ = write!(
                configuration,
                r#"{{"key":"setting-{n}","value":"{:016x}","inherited":false,"limits":{{"low":{n},"high":{}}},"updatedBy":null}}"#,
                self.prng.next(),
                n + 100
            );
        }
        let _ = write!(
            configuration,
            r#"],"environment":{{"variables":{{"STAGE":"prod","ENDPOINT":"https://example.com/{id}"}},"error":null}}}}"#
        );
        let mut statements = String::new();
        for n in 0..1 + self.prng.below(4) {
            if n > 0 {
                statements.push(',');
            }
            let _ = write!(
                statements,
                r#"{{\"Sid\":\"s{n}\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"arn:aws:iam::{}:root\"}},\"Action\":\"*\",\"Resource\":\"{arn}\"}}"#,
                self.place.account
            );
        }
        let supplementary = format!(
            r#"{{"Policy":"{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}","Tags":"[]"}}"#
        );
        self.item(&Parts {
            resource_type,
            id: &id,
            name: &id,
            arn: &arn,
            relationships: &self.contained(),
            configuration: &configuration,
            supplementary: &supplementary,
            global: resource_type == "AWS::IAM::Role",
        });
    }
}

/// Which rules a security group has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rules {
    /// Those that nobody may overlap.
    Audit,
    /// One of them.
    Open,
    /// None of them.
    Tidy,
}
