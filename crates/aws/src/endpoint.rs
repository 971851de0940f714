//! Where a call goes: the endpoint of a service in a Region, or the one that the environment names instead.

use std::collections::BTreeMap;

use http::Uri;

use crate::partition::Partition;
use crate::service::Service;

/// The variable that names one endpoint for all services.
const EVERY_SERVICE: &str = "AWS_ENDPOINT_URL";

/// The variable that makes the two others count for nothing.
const IGNORED: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// A place to send requests to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Host, and port where it is another than the scheme's own.
    pub authority: Box<str>,
    /// What stands before each path; empty, or begins with a slash and ends without.
    pub base: Box<str>,
    /// The Region to sign for.
    pub signing_region: Box<str>,
}

/// Endpoints that were named in place of AWS's own.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    every: Option<Base>,
    by_service: BTreeMap<Service, Base>,
}

#[derive(Clone, Debug)]
struct Base {
    tls: bool,
    authority: Box<str>,
    path: Box<str>,
}

/// A named endpoint that is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{variable}` is no http or https URL of a host")]
pub struct InvalidEndpoint {
    // Not its value, in which a password may stand.
    variable: String,
}

impl Endpoints {
    /// Those that the variables `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` name; `variable` answers a
    /// variable's value. An empty value names none, and none counts under `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true`.
    ///
    /// # Errors
    /// For a value that is no URL of a host.
    pub fn of_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidEndpoint> {
        if variable(IGNORED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self::default());
        }
        let read = |name: String| match variable(&name).filter(|value| !value.is_empty()) {
            Some(value) => match base(&value) {
                Some(base) => Ok(Some(base)),
                None => Err(InvalidEndpoint { variable: name }),
            },
            None => Ok(None),
        };
        let mut by_service = BTreeMap::new();
        for service in Service::ALL {
            let name = format!("{EVERY_SERVICE}_{}", service.variable());
            by_service.extend(read(name)?.map(|base| (*service, base)));
        }
        Ok(Self { every: read(EVERY_SERVICE.to_owned())?, by_service })
    }

    /// One endpoint for all services.
    ///
    /// # Errors
    /// For what is no URL of a host.
    pub fn every(url: &str) -> Result<Self, InvalidEndpoint> {
        Self::of_environment(|name| (name == EVERY_SERVICE).then(|| url.to_owned()))
    }

    /// Whether calls of a service go where somebody said rather than to AWS.
    pub fn is_named(&self, service: Service) -> bool {
        self.by_service.contains_key(&service) || self.every.is_some()
    }

    /// The endpoint of a service for a Region.
    pub fn of(&self, service: Service, region: &str) -> Endpoint {
        let (host, signing_region) = of_aws(service, region);
        let signing_region = signing_region.into();
        match self.by_service.get(&service).or(self.every.as_ref()) {
            Some(Base { tls, authority, path }) => Endpoint {
                tls: *tls,
                authority: authority.clone(),
                base: path.clone(),
                signing_region,
            },
            None => Endpoint { tls: true, authority: host.into(), base: "".into(), signing_region },
        }
    }
}

/// AWS's own endpoint, and the Region to sign for.
fn of_aws(service: Service, region: &str) -> (String, &str) {
    let partition = Partition::of_region(region);
    let (label, suffix, home) = (service.endpoint(), partition.suffix, partition.global_region);
    match (service, partition.name) {
        (Service::CloudFront | Service::Waf, "aws") => (format!("{label}.{suffix}"), home),
        (Service::Organizations, _)
        | (Service::Shield, "aws")
        | (Service::CloudFront, "aws-cn") => (format!("{label}.{home}.{suffix}"), home),
        _ => (format!("{label}.{region}.{suffix}"), region),
    }
}

fn base(url: &str) -> Option<Base> {
    let uri: Uri = url.parse().ok()?;
    let tls = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    let is_plain =
        !authority.host().is_empty() && !authority.as_str().contains('@') && uri.query().is_none();
    is_plain.then(|| Base {
        tls,
        authority: authority.as_str().into(),
        path: uri.path().trim_end_matches('/').into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(endpoint: &Endpoint) -> String {
        let scheme = if endpoint.tls { "https" } else { "http" };
        format!("{scheme}://{}{} {}", endpoint.authority, endpoint.base, endpoint.signing_region)
    }

    #[test]
    fn each_partition_has_its_endpoints() {
        for (service, region, expected) in [
            (Service::Ec2, "eu-west-1", "https://ec2.eu-west-1.amazonaws.com eu-west-1"),
            (
                Service::ElbV2,
                "cn-north-1",
                "https://elasticloadbalancing.cn-north-1.amazonaws.com.cn cn-north-1",
            ),
            (
                Service::Sts,
                "us-gov-east-1",
                "https://sts.us-gov-east-1.amazonaws.com us-gov-east-1",
            ),
            (
                Service::S3,
                "eusc-de-east-1",
                "https://s3.eusc-de-east-1.amazonaws.eu eusc-de-east-1",
            ),
            (
                Service::Organizations,
                "eu-west-1",
                "https://organizations.us-east-1.amazonaws.com us-east-1",
            ),
            (
                Service::Organizations,
                "cn-north-1",
                "https://organizations.cn-northwest-1.amazonaws.com.cn cn-northwest-1",
            ),
            (
                Service::Organizations,
                "us-gov-east-1",
                "https://organizations.us-gov-west-1.amazonaws.com us-gov-west-1",
            ),
            (
                Service::Organizations,
                "us-isob-west-1",
                "https://organizations.us-isob-east-1.sc2s.sgov.gov us-isob-east-1",
            ),
            (Service::CloudFront, "eu-west-1", "https://cloudfront.amazonaws.com us-east-1"),
            (
                Service::CloudFront,
                "cn-north-1",
                "https://cloudfront.cn-northwest-1.amazonaws.com.cn cn-northwest-1",
            ),
            (Service::Waf, "eu-west-1", "https://waf.amazonaws.com us-east-1"),
            (Service::Shield, "eu-west-1", "https://shield.us-east-1.amazonaws.com us-east-1"),
            (
                Service::WafV2,
                "us-iso-east-1",
                "https://wafv2.us-iso-east-1.c2s.ic.gov us-iso-east-1",
            ),
        ] {
            assert_eq!(shown(&Endpoints::default().of(service, region)), expected);
        }
    }

    #[test]
    fn the_environment_names_other_endpoints() {
        let named = |pairs: &'static [(&'static str, &'static str)]| {
            Endpoints::of_environment(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let both = named(&[
            ("AWS_ENDPOINT_URL", "http://localhost:5000/"),
            ("AWS_ENDPOINT_URL_S3", "https://s3.example.com/base/"),
            ("AWS_ENDPOINT_URL_CONFIG_SERVICE", ""),
        ])
        .unwrap();
        assert_eq!(shown(&both.of(Service::Ec2, "eu-west-1")), "http://localhost:5000 eu-west-1");
        assert_eq!(
            shown(&both.of(Service::Config, "eu-west-1")),
            "http://localhost:5000 eu-west-1"
        );
        assert_eq!(
            shown(&both.of(Service::S3, "eu-west-1")),
            "https://s3.example.com/base eu-west-1"
        );
        assert_eq!(
            shown(&both.of(Service::Organizations, "eu-west-1")),
            "http://localhost:5000 us-east-1",
            "a global service signs for its own Region wherever it is asked"
        );
        let ignored = named(&[
            ("AWS_ENDPOINT_URL", "http://localhost:5000"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ]);
        assert!(!ignored.unwrap().is_named(Service::Ec2));
    }

    #[test]
    fn what_is_no_url_of_a_host_is_refused() {
        for value in [
            "localhost:5000",
            "ftp://host",
            "http://",
            "https://key:secret@host",
            "http://host/?a=b",
        ] {
            let refused = Endpoints::every(value).unwrap_err().to_string();
            assert_eq!(refused, "`AWS_ENDPOINT_URL` is no http or https URL of a host", "{value}");
        }
    }
}
