//! ARNs, read apart.

/// `arn:partition:service:region:account:resource`, its parts as written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads a text, if it has the six parts of an ARN with partition, service and resource told.
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next();
        let (scheme, partition, service) = (part()?, part()?, part()?);
        let (region, account, resource) = (part()?, part()?, part()?);
        let told = !partition.is_empty() && !service.is_empty() && !resource.is_empty();
        (scheme == "arn" && told).then_some(Arn { partition, service, region, account, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_parts_of_which_three_are_never_empty() {
        let arn = Arn::parse("arn:aws:sns:eu-west-1:111122223333:a:b").unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws", "sns", "eu-west-1"));
        assert_eq!((arn.account, arn.resource), ("111122223333", "a:b"));
        assert!(Arn::parse("arn:aws:iam:::x").is_some());
        for text in [
            "",
            "arn",
            "arn:aws:sns:r:a",
            "arn::sns:r:a:x",
            "arn:aws::r:a:x",
            "urn:aws:s:r:a:x",
            "arn:aws:s:r:a:",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
