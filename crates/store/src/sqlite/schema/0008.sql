-- Version 8: what deliveries and their sources had and did not give. A gap until a snapshot, a listing or
-- a state of the resource from that moment on.

CREATE TABLE missed (
  account TEXT NOT NULL, -- '': any account of the organization
  region TEXT NOT NULL,  -- '': any
  type TEXT NOT NULL,    -- '': any
  what TEXT NOT NULL,    -- id of a resource, or a file's name; '': unknown
  cause INTEGER NOT NULL, -- 0 a listing goes on, 1 an answer left it out, 2 an item, 3 a file cannot be read
  moment_ms INTEGER NOT NULL,
  PRIMARY KEY (account, region, type, what, cause)
) STRICT, WITHOUT ROWID;

-- Types are now the same in any letter case: rows under another than AWS's would never be found again.
CREATE TEMP TABLE known_types (type TEXT NOT NULL);
INSERT INTO known_types VALUES
  ('AWS::ApiGateway::Stage'),
  ('AWS::CloudFront::Distribution'),
  ('AWS::Config::ConfigurationRecorder'),
  ('AWS::EC2::EIP'),
  ('AWS::EC2::Instance'),
  ('AWS::EC2::InternetGateway'),
  ('AWS::EC2::NetworkAcl'),
  ('AWS::EC2::NetworkInterface'),
  ('AWS::EC2::PrefixList'),
  ('AWS::EC2::RouteTable'),
  ('AWS::EC2::SecurityGroup'),
  ('AWS::EC2::Subnet'),
  ('AWS::EC2::VPC'),
  ('AWS::EC2::VPCEndpoint'),
  ('AWS::ElasticLoadBalancing::LoadBalancer'),
  ('AWS::ElasticLoadBalancingV2::LoadBalancer'),
  ('AWS::NetworkFirewall::Firewall'),
  ('AWS::NetworkFirewall::FirewallPolicy'),
  ('AWS::NetworkFirewall::RuleGroup'),
  ('AWS::Route53Resolver::FirewallRuleGroupAssociation'),
  ('AWS::Shield::Protection'),
  ('AWS::ShieldRegional::Protection'),
  ('AWS::WAF::WebACL'),
  ('AWS::WAFRegional::WebACL'),
  ('AWS::WAFv2::WebACL');
DELETE FROM items WHERE lower(type) IN (SELECT lower(type) FROM known_types)
  AND type NOT IN (SELECT type FROM known_types);
DELETE FROM coverage WHERE lower(type) IN (SELECT lower(type) FROM known_types)
  AND type NOT IN (SELECT type FROM known_types);
DELETE FROM changes WHERE lower(type) IN (SELECT lower(type) FROM known_types)
  AND type NOT IN (SELECT type FROM known_types);
DROP TABLE known_types;
