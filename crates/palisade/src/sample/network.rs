//! VPCs of the sample with what stands in them: subnets, groups, instances and interfaces, in the
//! bodies that AWS Config records (formats §9).

use serde_json::{Value, json};

use super::item::{ConfigurationItem, Place, iso};
use super::policies::AUDIT_GROUP;
use super::prng::Prng;

/// A VPC with its subnets.
#[derive(Clone, Debug)]
pub struct Network {
    /// `vpc-…`
    pub vpc: String,
    /// `subnet-…`, one a zone.
    pub subnets: Vec<String>,
    second_octet: u64,
    gateway: String,
}

/// A security group as others refer to it.
#[derive(Clone, Debug)]
pub struct Group {
    /// `sg-…`
    pub id: String,
    /// `groupName`
    pub name: String,
}

/// A permission for these ports from these CIDRs. Protocol `-1` carries no ports.
pub fn allow(protocol: &str, from: u16, to: u16, cidrs: &[&str]) -> Value {
    let (v6, v4): (Vec<&str>, Vec<&str>) = cidrs.iter().partition(|cidr| cidr.contains(':'));
    let v4_objects: Vec<Value> = v4.iter().map(|cidr| json!({"cidrIp": cidr})).collect();
    let v6_objects: Vec<Value> = v6.iter().map(|cidr| json!({"cidrIpv6": cidr})).collect();
    let mut permission = json!({
        "ipProtocol": protocol,
        "ipv4Ranges": v4_objects,
        "ipv6Ranges": v6_objects,
        "ipRanges": v4,
        "prefixListIds": [],
        "userIdGroupPairs": [],
    });
    if let (Some(permission), true) = (permission.as_object_mut(), protocol != "-1") {
        permission.insert("fromPort".to_owned(), Value::from(from));
        permission.insert("toPort".to_owned(), Value::from(to));
    }
    permission
}

/// A permission for one port from the members of a group.
pub fn from_group(protocol: &str, port: u16, account: &str, group: &Group) -> Value {
    json!({
        "ipProtocol": protocol,
        "fromPort": port,
        "toPort": port,
        "ipv4Ranges": [],
        "ipv6Ranges": [],
        "ipRanges": [],
        "prefixListIds": [],
        "userIdGroupPairs": [{"groupId": group.id, "userId": account}],
    })
}

/// The item of a security group; egress is open, as EC2 makes it, but for `default` groups and for
/// an audit group, whose every rule would be denied to everybody.
pub fn group_item(
    place: &Place,
    network: &Network,
    group: &Group,
    ingress: &[Value],
    captured_ms: i64,
) -> ConfigurationItem {
    let closed = group.name == "default" || group.id == AUDIT_GROUP;
    let egress: &[Value] = if closed { &[] } else { &[allow("-1", 0, 0, &["0.0.0.0/0"])] };
    ConfigurationItem::new(place, "AWS::EC2::SecurityGroup", &group.id, captured_ms)
        .named(&group.name)
        .ec2_arn("security-group")
        .relates("Is contained in Vpc", "AWS::EC2::VPC", &network.vpc)
        .configuration(json!({
            "description": format!("{} in {}", group.name, network.vpc),
            "groupId": group.id,
            "groupName": group.name,
            "ownerId": place.account,
            "vpcId": network.vpc,
            "ipPermissions": ingress,
            "ipPermissionsEgress": egress,
            "tags": [],
        }))
}

impl Network {
    /// Makes the n-th VPC of a place with what every VPC has. Its default group has no rules, as
    /// a company that read the benchmarks keeps it.
    pub fn build(
        place: &Place,
        n: u64,
        captured_ms: i64,
        prng: &mut Prng,
        items: &mut Vec<ConfigurationItem>,
    ) -> Network {
        let second_octet = prng.between(0, 99).saturating_add(n.saturating_mul(100));
        let vpc = prng.ec2_id("vpc");
        let subnets = (0..3).map(|_| prng.ec2_id("subnet")).collect();
        let mut network = Network { vpc, subnets, second_octet, gateway: String::new() };
        items.push(network.vpc_item(place, captured_ms));
        for (at, subnet) in network.subnets.iter().enumerate() {
            items.push(network.subnet_item(place, at, subnet, captured_ms));
        }
        for (kind, prefix, arn) in [
            ("AWS::EC2::InternetGateway", "igw", "internet-gateway"),
            ("AWS::EC2::RouteTable", "rtb", "route-table"),
            ("AWS::EC2::NetworkAcl", "acl", "network-acl"),
        ] {
            let id = prng.ec2_id(prefix);
            let body = network.body(prefix, &id);
            if prefix == "igw" {
                network.gateway.clone_from(&id);
            }
            items.push(
                ConfigurationItem::new(place, kind, &id, captured_ms)
                    .ec2_arn(arn)
                    .relates("Is contained in Vpc", "AWS::EC2::VPC", &network.vpc)
                    .configuration(body),
            );
        }
        let default = Group { id: prng.ec2_id("sg"), name: "default".to_owned() };
        items.push(group_item(place, &network, &default, &[], captured_ms));
        network
    }

    /// What is recorded of a gateway, of the main route table, which leads nowhere but into the VPC, and
    /// of a network ACL that nobody asks for.
    fn body(&self, prefix: &str, id: &str) -> Value {
        match prefix {
            "igw" => json!({
                "internetGatewayId": id,
                "attachments": [{"vpcId": self.vpc, "state": "available"}],
                "tags": [],
            }),
            "rtb" => json!({
                "routeTableId": id,
                "vpcId": self.vpc,
                "routes": [self.local()],
                "associations": [{
                    "routeTableAssociationId": id.replace("rtb-", "rtbassoc-"),
                    "routeTableId": id,
                    "main": true,
                }],
                "tags": [],
                "propagatingVgws": [],
            }),
            _ => json!({"vpcId": self.vpc}),
        }
    }

    fn local(&self) -> Value {
        json!({
            "destinationCidrBlock": format!("10.{}.0.0/16", self.second_octet),
            "gatewayId": "local",
            "state": "active",
            "origin": "CreateRouteTable",
        })
    }

    /// A route table by which the first subnet reaches the internet.
    pub fn way_out(&self, place: &Place, captured_ms: i64, prng: &mut Prng) -> ConfigurationItem {
        let id = prng.ec2_id("rtb");
        ConfigurationItem::new(place, "AWS::EC2::RouteTable", &id, captured_ms)
            .ec2_arn("route-table")
            .relates("Is contained in Vpc", "AWS::EC2::VPC", &self.vpc)
            .configuration(json!({
                "routeTableId": id,
                "vpcId": self.vpc,
                "routes": [self.local(), {
                    "destinationCidrBlock": "0.0.0.0/0",
                    "gatewayId": self.gateway,
                    "state": "active",
                    "origin": "CreateRoute",
                }],
                "associations": [{
                    "routeTableAssociationId": id.replace("rtb-", "rtbassoc-"),
                    "routeTableId": id,
                    "main": false,
                    "subnetId": self.subnets.first(),
                }],
                "tags": [],
                "propagatingVgws": [],
            }))
    }

    fn vpc_item(&self, place: &Place, captured_ms: i64) -> ConfigurationItem {
        ConfigurationItem::new(place, "AWS::EC2::VPC", &self.vpc, captured_ms)
            .ec2_arn("vpc")
            .zone("Multiple Availability Zones")
            .configuration(json!({
                "cidrBlock": format!("10.{}.0.0/16", self.second_octet),
                "vpcId": self.vpc,
                "ownerId": place.account,
                "state": "available",
                "instanceTenancy": "default",
                "isDefault": false,
                "cidrBlockAssociationSet": [],
                "ipv6CidrBlockAssociationSet": [],
                "tags": [],
            }))
    }

    fn subnet_item(
        &self,
        place: &Place,
        at: usize,
        id: &str,
        captured_ms: i64,
    ) -> ConfigurationItem {
        let zone = zone(place, at);
        ConfigurationItem::new(place, "AWS::EC2::Subnet", id, captured_ms)
            .ec2_arn("subnet")
            .zone(&zone)
            .relates("Is contained in Vpc", "AWS::EC2::VPC", &self.vpc)
            .configuration(json!({
                "availabilityZone": zone,
                "cidrBlock": format!("10.{}.{at}.0/24", self.second_octet),
                "mapPublicIpOnLaunch": false,
                "ownerId": place.account,
                "subnetId": id,
                "vpcId": self.vpc,
                "tags": [],
            }))
    }

    /// An instance with its primary interface and its volume.
    pub fn instance(
        &self,
        place: &Place,
        groups: &[Group],
        tags: &[(&str, &str)],
        captured_ms: i64,
        prng: &mut Prng,
        items: &mut Vec<ConfigurationItem>,
    ) {
        let (id, interface, volume) = (prng.ec2_id("i"), prng.ec2_id("eni"), prng.ec2_id("vol"));
        let (at, subnet) = self.subnet(prng);
        let (zone, address) = (zone(place, at), self.address(at, prng));
        let attachment = json!({
            "attachTime": iso(captured_ms),
            "deleteOnTermination": true,
            "deviceIndex": 0,
            "status": "attached",
        });
        items.push(
            ConfigurationItem::new(place, "AWS::EC2::Instance", &id, captured_ms)
                .ec2_arn("instance")
                .zone(&zone)
                .tags(tags)
                .created(captured_ms)
                .relates("Contains NetworkInterface", "AWS::EC2::NetworkInterface", &interface)
                .relates("Is contained in Vpc", "AWS::EC2::VPC", &self.vpc)
                .configuration(json!({
                    "instanceId": id,
                    "instanceType": prng.pick(&["t3.medium", "m6i.large", "c7g.xlarge"]),
                    "launchTime": iso(captured_ms),
                    "placement": {"availabilityZone": zone, "tenancy": "default"},
                    "privateIpAddress": address,
                    "state": {"code": 16, "name": "running"},
                    "subnetId": subnet,
                    "vpcId": self.vpc,
                    "securityGroups": group_list(groups),
                    "networkInterfaces": [{
                        "networkInterfaceId": interface,
                        "attachment": attachment,
                        "groups": group_list(groups),
                        "interfaceType": "interface",
                        "subnetId": subnet,
                        "vpcId": self.vpc,
                    }],
                })),
        );
        let mut attached = attachment;
        if let Some(attached) = attached.as_object_mut() {
            attached.insert("instanceId".to_owned(), Value::from(id.as_str()));
            attached.insert("instanceOwnerId".to_owned(), Value::from(place.account.as_str()));
        }
        let seat = Seat { at, subnet, address };
        let body = json!({"attachment": attached, "interfaceType": "interface", "description": "", "requesterManaged": false});
        items.push(self.interface(place, &interface, &seat, groups, body, captured_ms).relates(
            "Is attached to Instance",
            "AWS::EC2::Instance",
            &id,
        ));
        items.push(
            ConfigurationItem::new(place, "AWS::EC2::Volume", &volume, captured_ms)
                .ec2_arn("volume")
                .zone(&zone)
                .configuration(json!({"volumeId": volume, "encrypted": true, "size": 30})),
        );
    }

    /// An interface that a load balancer made for itself.
    pub fn balancer_interface(
        &self,
        place: &Place,
        balancer: &str,
        groups: &[Group],
        captured_ms: i64,
        prng: &mut Prng,
        items: &mut Vec<ConfigurationItem>,
    ) {
        let body = json!({
            "description": format!("ELB {balancer}"),
            "interfaceType": "interface",
            "requesterManaged": true,
            "requesterId": "amazon-elb",
        });
        let (id, seat) = (prng.ec2_id("eni"), self.seat(prng));
        items.push(self.interface(place, &id, &seat, groups, body, captured_ms));
    }

    /// The interface of a function.
    pub fn function_interface(
        &self,
        place: &Place,
        function: &str,
        group: &Group,
        captured_ms: i64,
        prng: &mut Prng,
        items: &mut Vec<ConfigurationItem>,
    ) {
        let body = json!({
            "description": format!("AWS Lambda VPC ENI-{function}"),
            "interfaceType": "lambda",
            "requesterManaged": true,
        });
        let (id, seat) = (prng.ec2_id("eni"), self.seat(prng));
        let groups = std::slice::from_ref(group);
        items.push(self.interface(place, &id, &seat, groups, body, captured_ms));
    }

    fn interface(
        &self,
        place: &Place,
        id: &str,
        seat: &Seat,
        groups: &[Group],
        body: Value,
        captured_ms: i64,
    ) -> ConfigurationItem {
        let mut configuration = json!({
            "availabilityZone": zone(place, seat.at),
            "groups": group_list(groups),
            "networkInterfaceId": id,
            "ownerId": place.account,
            "privateIpAddress": seat.address,
            "privateIpAddresses": [{"primary": true, "privateIpAddress": seat.address}],
            "status": "in-use",
            "subnetId": seat.subnet,
            "tagSet": [],
            "vpcId": self.vpc,
        });
        if let (Some(whole), Value::Object(rest)) = (configuration.as_object_mut(), body) {
            whole.extend(rest);
        }
        let item = ConfigurationItem::new(place, "AWS::EC2::NetworkInterface", id, captured_ms)
            .ec2_arn("network-interface")
            .zone(&zone(place, seat.at))
            .relates("Is contained in Subnet", "AWS::EC2::Subnet", &seat.subnet)
            .configuration(configuration);
        groups.iter().fold(item, |item, group| {
            item.relates("Is associated with SecurityGroup", "AWS::EC2::SecurityGroup", &group.id)
        })
    }

    fn seat(&self, prng: &mut Prng) -> Seat {
        let (at, subnet) = self.subnet(prng);
        Seat { at, subnet, address: self.address(at, prng) }
    }

    fn subnet(&self, prng: &mut Prng) -> (usize, String) {
        let at = usize::try_from(prng.below(self.subnets.len() as u64)).unwrap_or_default();
        (at, self.subnets.get(at).cloned().unwrap_or_default())
    }

    fn address(&self, at: usize, prng: &mut Prng) -> String {
        format!("10.{}.{at}.{}", self.second_octet, prng.between(4, 254))
    }
}

/// Where an interface sits.
struct Seat {
    at: usize,
    subnet: String,
    address: String,
}

fn group_list(groups: &[Group]) -> Value {
    groups.iter().map(|group| json!({"groupId": group.id, "groupName": group.name})).collect()
}

fn zone(place: &Place, at: usize) -> String {
    let letter = ["a", "b", "c"].get(at).copied().unwrap_or("a");
    format!("{}{letter}", place.region)
}
