//! What one account holds in one Region: workloads of load balancers, instances and groups, the
//! network around them, and things no policy looks at.

use serde_json::{Value, json};

use super::classic;
use super::company::{DATA, Member, PAYMENTS, Part, SANDBOXES, Size};
use super::dns;
use super::item::{ConfigurationItem, Place};
use super::network::{Group, Network, allow, from_group, group_item};
use super::policies::{ADMINISTERED, AUDIT_GROUP, PRIMARY_GROUP, WEB_ACL_POLICY};
use super::prng::Prng;
use super::third_party;
use super::web::{self, Protection};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const TEAMS: [&str; 6] = ["platform", "storefront", "checkout", "logistics", "data", "mobile"];
const SERVICES: [&str; 12] = [
    "api",
    "web",
    "orders",
    "basket",
    "inventory",
    "labels",
    "events",
    "exports",
    "prices",
    "users",
    "images",
    "jobs",
];

/// Something wrong with a workload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trouble {
    /// A forgotten group that opens ssh to everyone, on an instance.
    OpenSsh,
    /// The database's port is open to everyone.
    PublicDatabase,
    /// A rule for every protocol.
    AllProtocols,
    /// A rule that opens a thousand ports inside the company.
    WidePorts,
    /// The load balancer has no web ACL.
    NoWebAcl,
    /// The load balancer has a web ACL of the team's own.
    ForeignWebAcl,
    /// The load balancer has the policy's web ACL, but the rule group was never put in.
    BareWebAcl,
}

/// What is wrong with workloads anywhere but where cards are handled.
const TROUBLES: [Trouble; 6] = [
    Trouble::OpenSsh,
    Trouble::NoWebAcl,
    Trouble::PublicDatabase,
    Trouble::ForeignWebAcl,
    Trouble::AllProtocols,
    Trouble::BareWebAcl,
];

/// Rules that let administrators in.
fn console() -> Vec<Value> {
    vec![allow("tcp", 8443, 8443, &["10.0.0.0/8"])]
}

/// Builds everything that is recorded of an account in a Region.
pub struct Estate<'a> {
    place: &'a Place,
    member: &'a Member<'a>,
    first_region: bool,
    now_ms: i64,
    prng: Prng,
    items: Vec<ConfigurationItem>,
    protected: Vec<String>,
}

impl<'a> Estate<'a> {
    /// Every item of one snapshot, in the arbitrary but fixed order of making.
    pub fn items(
        place: &'a Place,
        member: &'a Member<'a>,
        first_region: bool,
        seed: u64,
        now_ms: i64,
    ) -> Vec<ConfigurationItem> {
        let prng = Prng::labelled(seed, &format!("{}/{}", member.name, place.region));
        let mut estate = Estate {
            place,
            member,
            first_region,
            now_ms,
            prng,
            items: Vec::new(),
            protected: Vec::new(),
        };
        estate.build();
        estate.items
    }

    fn build(&mut self) {
        self.recorder();
        let (networks, workloads) = match (self.member.size, self.first_region) {
            (Size::Large, true) => (2, 6),
            (Size::Large, false) => (1, 3),
            (Size::Medium, true) => (1, 3),
            (Size::Medium, false) => (1, 2),
            (Size::Small, true) => (1, 1),
            (Size::Small, false) => (1, 0),
        };
        let mut built: Vec<Network> = Vec::new();
        for n in 0..networks {
            let captured_ms = self.moment(400);
            built.push(Network::build(self.place, n, captured_ms, &mut self.prng, &mut self.items));
        }
        for n in 0..workloads {
            let at = n % built.len().max(1);
            if let Some(network) = built.get(at).cloned() {
                self.workload(n, &network);
            }
        }
        if let Some(network) = built.first().cloned() {
            self.part(&network);
        }
        let captured_ms = self.now_ms - 90 * DAY_MS;
        self.items.extend(dns::associations(self.place, self.member, &built, captured_ms));
        self.items.extend(classic::stage(self.place, self.member.name, captured_ms));
        self.ways_out(&built);
        let name = self.member.name;
        self.items.extend(third_party::firewalls(self.place, name, &built, captured_ms));
        self.web_acl();
        self.unwatched();
    }

    /// Where data is kept, untidy accounts let a subnet of each VPC reach the internet, without the
    /// firewall that the policy wants there.
    fn ways_out(&mut self, networks: &[Network]) {
        if self.member.unit != DATA || !matches!(self.member.part, Part::Untidy(_)) {
            return;
        }
        let captured_ms = self.now_ms - 30 * DAY_MS;
        let label = format!("{}/{}", self.place.account, self.place.region);
        let mut prng = Prng::labelled(5, &label);
        let ways =
            networks.iter().map(|network| network.way_out(self.place, captured_ms, &mut prng));
        self.items.extend(ways);
    }

    /// A moment between `days` days and a day before now.
    fn moment(&mut self, days: u64) -> i64 {
        let span = days.saturating_mul(24 * 60 * 60 * 1_000);
        let back = i64::try_from(self.prng.below(span)).unwrap_or_default();
        self.now_ms - DAY_MS - back
    }

    fn recorder(&mut self) {
        let half = self.member.part == Part::HalfRecorded;
        let (strategy, types) = if half {
            (
                "INCLUSION_BY_RESOURCE_TYPES",
                json!([
                    "AWS::EC2::Instance",
                    "AWS::EC2::SecurityGroup",
                    "AWS::EC2::Subnet",
                    "AWS::EC2::VPC",
                    "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    "AWS::WAFv2::WebACL",
                    "AWS::Config::ConfigurationRecorder",
                    "AWS::Lambda::Function",
                    "AWS::S3::Bucket",
                ]),
            )
        } else {
            ("ALL_SUPPORTED_RESOURCE_TYPES", json!([]))
        };
        let captured_ms = self.now_ms - 300 * DAY_MS;
        let item = ConfigurationItem::new(
            self.place,
            "AWS::Config::ConfigurationRecorder",
            "default",
            captured_ms,
        );
        self.items.push(item.named("default").configuration(json!({
            "Name": "default",
            "RoleARN": format!("arn:aws:iam::{}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig", self.place.account),
            "RecordingGroup": {
                "AllSupported": !half,
                "IncludeGlobalResourceTypes": !half && self.first_region,
                "ResourceTypes": types,
                "ExclusionByResourceTypes": {"ResourceTypes": []},
                "RecordingStrategy": {"UseOnly": strategy},
            },
            "RecordingMode": {"RecordingFrequency": "CONTINUOUS", "RecordingModeOverrides": []},
        })));
    }

    fn trouble(&mut self, n: usize) -> Option<Trouble> {
        let Part::Untidy(percent) = self.member.part else { return None };
        // An untidy account has something to show in its first workload at least.
        let first = n == 0 && self.first_region;
        if !first && !self.prng.percent(percent) {
            return None;
        }
        if self.member.unit == PAYMENTS {
            return Some(Trouble::WidePorts);
        }
        let at = self.prng.below(TROUBLES.len() as u64);
        usize::try_from(at).ok().and_then(|at| TROUBLES.get(at)).copied()
    }

    /// A load balancer in front of instances that talk to a database.
    fn workload(&mut self, n: usize, network: &Network) {
        let service = SERVICES.get(n).copied().unwrap_or("misc");
        let name = format!("{}-{service}", self.member.name);
        let team = self.prng.pick(&TEAMS).to_owned();
        let trouble = self.trouble(n);
        let web = self.group(
            network,
            &format!("{name}-web"),
            &team,
            vec![
                allow("tcp", 443, 443, &["0.0.0.0/0", "::/0"]),
                allow("tcp", 80, 80, &["0.0.0.0/0"]),
            ],
        );
        let mut app_rules = vec![from_group("tcp", 8080, &self.place.account, &web)];
        match trouble {
            Some(Trouble::WidePorts) => app_rules.push(allow("tcp", 8000, 8999, &["10.0.0.0/8"])),
            Some(Trouble::AllProtocols) => app_rules.push(allow("-1", 0, 0, &["10.96.0.0/12"])),
            _ => app_rules.push(allow("tcp", 9100, 9100, &["10.0.0.0/8"])),
        }
        let app = self.group(network, &format!("{name}-app"), &team, app_rules);
        let database_peers: &[&str] = match trouble {
            Some(Trouble::PublicDatabase) => &["0.0.0.0/0"],
            _ => &["10.0.0.0/8"],
        };
        let database = self.group(
            network,
            &format!("{name}-db"),
            &team,
            vec![
                from_group("tcp", 5432, &self.place.account, &app),
                allow("tcp", 5432, 5432, database_peers),
            ],
        );
        let instances = self.prng.between(5, 8);
        for at in 0..instances {
            let mut groups = vec![if at + 1 == instances { database.clone() } else { app.clone() }];
            if at == 0 && trouble == Some(Trouble::OpenSsh) {
                let open = allow("tcp", 22, 22, &["0.0.0.0/0"]);
                groups.push(self.group(network, &format!("{name}-ssh-temp"), &team, vec![open]));
            }
            self.instance(network, &format!("{name}-{at}"), &team, &groups);
        }
        self.front(network, &name, &team, &web, trouble);
        self.functions(network, &name, &team, &app);
        if n == 1 && self.member.size == Size::Large {
            self.internal_balancer(network, &name, &team, &app);
        }
    }

    fn group(&mut self, network: &Network, name: &str, team: &str, ingress: Vec<Value>) -> Group {
        let group = Group { id: self.prng.ec2_id("sg"), name: name.to_owned() };
        let captured_ms = self.moment(300);
        let tags = [("team", team), ("managed-by", "terraform")];
        self.items.push(group_item(self.place, network, &group, &ingress, captured_ms).tags(&tags));
        group
    }

    fn instance(&mut self, network: &Network, name: &str, team: &str, groups: &[Group]) {
        let captured_ms = self.moment(60);
        let tags = [("Name", name), ("team", team)];
        network.instance(self.place, groups, &tags, captured_ms, &mut self.prng, &mut self.items);
    }

    /// The application load balancer of a workload, with the interfaces it makes for itself.
    fn front(
        &mut self,
        network: &Network,
        name: &str,
        team: &str,
        web: &Group,
        trouble: Option<Trouble>,
    ) {
        let unmanaged = self.member.unit == SANDBOXES;
        let captured_ms = self.moment(90);
        let balancer = web::Balancer::application(self.place, name, &mut self.prng);
        let protection = match trouble {
            Some(Trouble::NoWebAcl) => Protection::None,
            _ if unmanaged => Protection::None,
            Some(Trouble::ForeignWebAcl) => {
                let acl = web::Acl::foreign(self.place, name, &mut self.prng);
                self.items.push(acl.item(
                    self.place,
                    std::slice::from_ref(&balancer.arn),
                    captured_ms,
                ));
                Protection::Attribute(acl.arn)
            }
            Some(Trouble::BareWebAcl) => {
                let acl = web::Acl::bare(self.place, WEB_ACL_POLICY, captured_ms, &mut self.prng);
                self.items.push(acl.item(
                    self.place,
                    std::slice::from_ref(&balancer.arn),
                    captured_ms,
                ));
                Protection::Attribute(acl.arn)
            }
            // Recorders of before 2020 did not tell the attribute: the web ACL's own item does.
            _ if self.prng.percent(12) => {
                self.protected.push(balancer.arn.clone());
                Protection::Untold
            }
            _ => {
                self.protected.push(balancer.arn.clone());
                Protection::Attribute(self.policy_acl().arn)
            }
        };
        let groups = [web.clone()];
        let tags = [("team", team)];
        self.items.push(
            balancer
                .item(self.place, network, "internet-facing", &groups, &protection, captured_ms)
                .tags(&tags),
        );
        for _ in 0..2 {
            network.balancer_interface(
                self.place,
                &balancer.label,
                &groups,
                captured_ms,
                &mut self.prng,
                &mut self.items,
            );
        }
        for (kind, extra) in [
            ("AWS::ElasticLoadBalancingV2::Listener", "listener"),
            ("AWS::CloudWatch::Alarm", "alarm"),
        ] {
            let id = format!("{name}-{extra}-{}", self.prng.hex16());
            self.plain(kind, &id, captured_ms);
        }
    }

    /// Functions, a queue and a role: only the functions' interfaces matter to a policy.
    fn functions(&mut self, network: &Network, name: &str, team: &str, app: &Group) {
        let captured_ms = self.moment(30);
        let function = format!("{name}-on-upload");
        let item =
            ConfigurationItem::new(self.place, "AWS::Lambda::Function", &function, captured_ms);
        self.items.push(
            item.named(&function)
                .arn(format!(
                    "arn:aws:lambda:{}:{}:function:{function}",
                    self.place.region, self.place.account
                ))
                .tags(&[("team", team)])
                .configuration(json!({
                    "functionName": function,
                    "runtime": "python3.12",
                    "memorySize": 512,
                    "vpcConfig": {"subnetIds": network.subnets, "securityGroupIds": [app.id]},
                })),
        );
        network.function_interface(
            self.place,
            &function,
            app,
            captured_ms,
            &mut self.prng,
            &mut self.items,
        );
        let queue = format!(
            "https://sqs.{}.amazonaws.com/{}/{name}-jobs",
            self.place.region, self.place.account
        );
        self.plain("AWS::SQS::Queue", &queue, captured_ms);
        self.plain("AWS::Logs::LogGroup", &format!("/aws/lambda/{function}"), captured_ms);
        if self.first_region {
            self.role(&format!("{name}-task"), captured_ms);
        }
    }

    /// A balancer for callers inside the company: tagged out of the web ACL policy's scope.
    fn internal_balancer(&mut self, network: &Network, name: &str, team: &str, app: &Group) {
        let captured_ms = self.moment(200);
        let groups = [app.clone()];
        let inside =
            web::Balancer::application(self.place, &format!("{name}-internal"), &mut self.prng);
        self.items.push(
            inside
                .item(self.place, network, "internal", &groups, &Protection::None, captured_ms)
                .tags(&[("team", team), ("waf", "exempt")]),
        );
        let lines = web::Balancer::network(self.place, &format!("{name}-lines"), &mut self.prng);
        self.items.push(
            lines
                .item(self.place, network, "internal", &[], &Protection::None, captured_ms)
                .tags(&[("team", team)]),
        );
    }

    /// What makes this account worth looking at.
    fn part(&mut self, network: &Network) {
        match self.member.part {
            Part::Administrator => {
                self.audit_group(network);
                self.primary_group(network);
            }
            Part::OpenDoors(here, there) => {
                let doors = if self.first_region { here } else { there };
                for n in 1..=doors {
                    let (port, protocol) = if n % 3 == 0 { (3389, "rdp") } else { (22, "ssh") };
                    let peers: &[&str] = if n % 5 == 0 { &["10.0.0.0/8"] } else { &["0.0.0.0/0"] };
                    let name = format!("vendor-{protocol}-{n:03}");
                    self.group(network, &name, "acquired", vec![allow("tcp", port, port, peers)]);
                }
                let group = self.group(network, "vendor-console", "acquired", console());
                self.administered(network, group);
            }
            Part::Spotless | Part::Untidy(_) | Part::Unheard | Part::HalfRecorded => {}
        }
    }

    /// The group whose rules the custom audit denies. It is attached to nothing.
    fn audit_group(&mut self, network: &Network) {
        let group =
            Group { id: AUDIT_GROUP.to_owned(), name: "audit-remote-administration".to_owned() };
        let rules = [
            allow("tcp", 22, 22, &["0.0.0.0/0", "::/0"]),
            allow("tcp", 3389, 3389, &["0.0.0.0/0", "::/0"]),
        ];
        let captured_ms = self.now_ms - 200 * DAY_MS;
        self.items.push(group_item(self.place, network, &group, &rules, captured_ms));
    }

    /// The group that lets administrators in, on an instance beside it: there it serves itself.
    fn primary_group(&mut self, network: &Network) {
        let group = Group { id: PRIMARY_GROUP.to_owned(), name: "administration".to_owned() };
        let captured_ms = self.now_ms - 200 * DAY_MS;
        self.items.push(group_item(self.place, network, &group, &console(), captured_ms));
        self.administered(network, group);
    }

    /// An instance that the common policy is about.
    fn administered(&mut self, network: &Network, group: Group) {
        let captured_ms = self.moment(60);
        network.instance(
            self.place,
            &[group],
            &[ADMINISTERED],
            captured_ms,
            &mut self.prng,
            &mut self.items,
        );
    }

    fn policy_acl(&self) -> web::Acl {
        web::Acl::of_policy(self.place, WEB_ACL_POLICY, self.now_ms - 180 * DAY_MS)
    }

    /// The web ACL that Firewall Manager made here, when something uses it.
    fn web_acl(&mut self) {
        if self.protected.is_empty() {
            return;
        }
        let item = self.policy_acl().item(self.place, &self.protected, self.now_ms - 7 * DAY_MS);
        self.items.push(item);
    }

    /// Things that no policy looks at: most of any real snapshot.
    fn unwatched(&mut self) {
        let share = match self.member.size {
            Size::Large => 14,
            Size::Medium => 10,
            Size::Small => 5,
        };
        for n in 0..share {
            let captured_ms = self.moment(700);
            let bucket = format!("{}-{}-{n:02}", self.member.name, self.place.region);
            self.plain("AWS::S3::Bucket", &bucket, captured_ms);
        }
        for role in ["AWSServiceRoleForConfig", "OrganizationAccountAccessRole", "break-glass"] {
            // The recorder of the first Region includes global types; one team's second Region
            // does as well, so that the same role comes twice.
            if self.first_region || self.member.name == "fleet-prod" {
                self.role(role, self.now_ms - 500 * DAY_MS);
            }
        }
    }

    fn role(&mut self, name: &str, captured_ms: i64) {
        let mut prng = Prng::labelled(1, &format!("{}/{name}", self.place.account));
        let id = format!("AROA{}", prng.hex16().to_uppercase());
        let item = ConfigurationItem::new(self.place, "AWS::IAM::Role", &id, captured_ms);
        self.items.push(
            item.named(name)
                .global()
                .arn(format!("arn:aws:iam::{}:role/{name}", self.place.account))
                .configuration(json!({"path": "/", "roleName": name, "roleId": id})),
        );
    }

    fn plain(&mut self, resource_type: &'static str, id: &str, captured_ms: i64) {
        let item = ConfigurationItem::new(self.place, resource_type, id, captured_ms);
        self.items.push(item.configuration(json!({"name": id})));
    }
}
