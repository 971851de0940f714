//! The services that are called, and how each is spoken to.

/// How requests and answers of a service are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// `POST /` with a JSON object; the call's name is in `x-amz-target`.
    Json {
        /// `1.0` or `1.1`.
        version: &'static str,
        /// What stands before the call's name in `x-amz-target`.
        target: &'static str,
    },
    /// `POST /` with a form, lists as `Name.member.1`; answers in XML.
    Query {
        /// The API's version.
        version: &'static str,
    },
    /// `POST /` with a form, lists as `Name.1`; answers in XML.
    Ec2 {
        /// The API's version.
        version: &'static str,
    },
    /// Method and path of each call's own; JSON both ways.
    RestJson,
    /// Method and path of each call's own; XML both ways.
    RestXml,
}

impl Protocol {
    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json { version: "1.0", .. } => "JSON 1.0",
            Self::Json { .. } => "JSON 1.1",
            Self::Query { .. } => "Query",
            Self::Ec2 { .. } => "EC2 query",
            Self::RestJson => "REST-JSON",
            Self::RestXml => "REST-XML",
        }
    }

    /// Whether answers are XML, so that their shape must be known to be read.
    pub fn answers_xml(self) -> bool {
        match self {
            Self::Query { .. } | Self::Ec2 { .. } | Self::RestXml => true,
            Self::Json { .. } | Self::RestJson => false,
        }
    }
}

macro_rules! services {
    ($($(#[$doc:meta])* $variant:ident $name:literal $iam:literal $endpoint:literal $variable:literal $protocol:expr;)+) => {
        /// A service of AWS that the table of calls has calls of.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Service { $($(#[$doc])* $variant,)+ }

        impl Service {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name here, which is that of AWS's SDKs: `elbv2`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What stands before the colon in an IAM action, and in a signature's scope.
            pub fn iam(self) -> &'static str {
                match self { $(Self::$variant => $iam,)+ }
            }

            /// The first label of its endpoints.
            pub fn endpoint(self) -> &'static str {
                match self { $(Self::$variant => $endpoint,)+ }
            }

            /// What follows `AWS_ENDPOINT_URL_` in the variable that names another endpoint, as AWS's SDKs have it.
            pub fn variable(self) -> &'static str {
                match self { $(Self::$variant => $variable,)+ }
            }

            /// How it is spoken to.
            pub fn protocol(self) -> Protocol {
                match self { $(Self::$variant => $protocol,)+ }
            }
        }
    };
}

const fn json_1_0(target: &'static str) -> Protocol {
    Protocol::Json { version: "1.0", target }
}

const fn json_1_1(target: &'static str) -> Protocol {
    Protocol::Json { version: "1.1", target }
}

services! {
    /// API Gateway, REST APIs.
    ApiGateway "apigateway" "apigateway" "apigateway" "API_GATEWAY" Protocol::RestJson;
    /// CloudFront.
    CloudFront "cloudfront" "cloudfront" "cloudfront" "CLOUDFRONT" Protocol::RestXml;
    /// AWS Config.
    Config "config" "config" "config" "CONFIG_SERVICE" json_1_1("StarlingDoveService");
    /// EC2 and VPC.
    Ec2 "ec2" "ec2" "ec2" "EC2" Protocol::Ec2 { version: "2016-11-15" };
    /// Classic load balancers.
    Elb "elb" "elasticloadbalancing" "elasticloadbalancing" "ELASTIC_LOAD_BALANCING" Protocol::Query { version: "2012-06-01" };
    /// Application, network and gateway load balancers.
    ElbV2 "elbv2" "elasticloadbalancing" "elasticloadbalancing" "ELASTIC_LOAD_BALANCING_V2" Protocol::Query { version: "2015-12-01" };
    /// Network Firewall.
    NetworkFirewall "network-firewall" "network-firewall" "network-firewall" "NETWORK_FIREWALL" json_1_0("NetworkFirewall_20201112");
    /// AWS Organizations.
    Organizations "organizations" "organizations" "organizations" "ORGANIZATIONS" json_1_1("AWSOrganizationsV20161128");
    /// Resource Access Manager.
    Ram "ram" "ram" "ram" "RAM" Protocol::RestJson;
    /// Route 53 Resolver, DNS Firewall.
    Resolver "route53resolver" "route53resolver" "route53resolver" "ROUTE53RESOLVER" json_1_1("Route53Resolver");
    /// S3.
    S3 "s3" "s3" "s3" "S3" Protocol::RestXml;
    /// Shield Advanced.
    Shield "shield" "shield" "shield" "SHIELD" json_1_1("AWSShield_20160616");
    /// SQS.
    Sqs "sqs" "sqs" "sqs" "SQS" json_1_0("AmazonSQS");
    /// Security Token Service.
    Sts "sts" "sts" "sts" "STS" Protocol::Query { version: "2011-06-15" };
    /// WAF Classic, for CloudFront.
    Waf "waf" "waf" "waf" "WAF" json_1_1("AWSWAF_20150824");
    /// WAF Classic, regional.
    WafRegional "waf-regional" "waf-regional" "waf-regional" "WAF_REGIONAL" json_1_1("AWSWAF_Regional_20161128");
    /// AWS WAF.
    WafV2 "wafv2" "wafv2" "wafv2" "WAFV2" json_1_1("AWSWAF_20190729");
}

impl Service {
    /// The service that signs, which of all of these is the IAM name.
    pub fn signing(self) -> &'static str {
        self.iam()
    }

    /// Whether a partition has one endpoint of it rather than one a Region.
    pub fn is_global(self) -> bool {
        match self {
            Self::CloudFront | Self::Organizations | Self::Shield | Self::Waf => true,
            Self::ApiGateway
            | Self::Config
            | Self::Ec2
            | Self::Elb
            | Self::ElbV2
            | Self::NetworkFirewall
            | Self::Ram
            | Self::Resolver
            | Self::S3
            | Self::Sqs
            | Self::Sts
            | Self::WafRegional
            | Self::WafV2 => false,
        }
    }
}
