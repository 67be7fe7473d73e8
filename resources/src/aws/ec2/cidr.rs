//! What EC2 allows of IPv4 ranges.

use ipnet::Ipv4Net;
use lsinfra_engine::{Input, InputProblem};

use crate::aws::property::problem;

/// Problems of the range of a VPC or a subnet: /16 to /28, written without host bits.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
pub(super) fn check(cidr_block: &Input<Ipv4Net>) -> Option<InputProblem> {
    let cidr = cidr_block.get()?;
    if let Some(problem) = check_host_bits("cidr_block", cidr_block) {
        return Some(problem);
    }
    let allowed = (16..=28).contains(&cidr.prefix_len());
    (!allowed)
        .then(|| problem("cidr_block", format!("{cidr} is a /{}: AWS allows /16 to /28", cidr.prefix_len())))
}

/// Problems of a range that is written with host bits: AWS would drop them, and show another one.
pub(super) fn check_host_bits(path: &str, range: &Input<Ipv4Net>) -> Option<InputProblem> {
    let cidr = range.get()?;
    let message = || format!("{cidr} has host bits set: write {}", cidr.trunc());
    (cidr.trunc() != cidr).then(|| problem(path, message()))
}

/// A range as AWS tells it.
pub(super) fn parse(cidr: Option<&str>) -> Option<Ipv4Net> {
    cidr?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_are_16_to_28_without_host_bits() {
        for (cidr, allowed) in [
            ("10.0.0.0/16", true),
            ("10.0.0.16/28", true),
            ("10.0.0.0/15", false),
            ("10.0.0.0/29", false),
            ("10.0.1.0/16", false),
        ] {
            let input: Input<Ipv4Net> = cidr.parse::<Ipv4Net>().unwrap().into();
            assert_eq!(check(&input).is_none(), allowed, "{cidr}");
        }
        assert_eq!(check(&Input::default()), None);
    }
}
