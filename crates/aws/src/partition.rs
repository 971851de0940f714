//! AWS's partitions: which Region belongs to which, and the names that endpoints and ARNs have there.

/// A part of AWS with accounts, Regions and domain names of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partition {
    /// As in ARNs: `aws-cn`.
    pub name: &'static str,
    /// What ends its endpoints: `amazonaws.com.cn`.
    pub suffix: &'static str,
    /// What its Regions begin with; empty for the one that has all others.
    prefix: &'static str,
    /// The Region in which global services sign.
    pub global_region: &'static str,
}

/// All partitions; the one without a prefix is the last.
pub const PARTITIONS: [Partition; 8] = [
    of("aws-cn", "amazonaws.com.cn", "cn-", "cn-northwest-1"),
    of("aws-us-gov", "amazonaws.com", "us-gov-", "us-gov-west-1"),
    of("aws-iso", "c2s.ic.gov", "us-iso-", "us-iso-east-1"),
    of("aws-iso-b", "sc2s.sgov.gov", "us-isob-", "us-isob-east-1"),
    of("aws-iso-e", "cloud.adc-e.uk", "eu-isoe-", "eu-isoe-west-1"),
    of("aws-iso-f", "csp.hci.ic.gov", "us-isof-", "us-isof-south-1"),
    of("aws-eusc", "amazonaws.eu", "eusc-", "eusc-de-east-1"),
    COMMERCIAL,
];

const COMMERCIAL: Partition = of("aws", "amazonaws.com", "", "us-east-1");

const fn of(
    name: &'static str,
    suffix: &'static str,
    prefix: &'static str,
    global_region: &'static str,
) -> Partition {
    Partition { name, suffix, prefix, global_region }
}

impl Partition {
    /// The partition of a Region; of one that nobody knows, the commercial one.
    pub fn of_region(region: &str) -> Self {
        PARTITIONS.into_iter().find(|known| region.starts_with(known.prefix)).unwrap_or(COMMERCIAL)
    }
}

impl Partition {
    /// The partition that an ARN names; the commercial one where nobody knows it.
    pub fn of_arn(arn: &str) -> Self {
        let named = arn.split(':').nth(1).unwrap_or_default();
        PARTITIONS.into_iter().find(|known| known.name == named).unwrap_or(COMMERCIAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_belongs_to_its_partition() {
        for (region, name, suffix) in [
            ("us-east-1", "aws", "amazonaws.com"),
            ("il-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
            ("us-iso-west-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            let partition = Partition::of_region(region);
            assert_eq!((partition.name, partition.suffix), (name, suffix), "{region}");
            let home = Partition::of_region(partition.global_region);
            assert_eq!(home.name, name, "the global Region of {name} is its own");
            assert_eq!(Partition::of_arn(&format!("arn:{name}:iam::111122223333:role/X")), home);
        }
    }
}
