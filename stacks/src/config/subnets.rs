//! Where subnets lie in the network when the config does not say.
//!
//! Private subnets are counted from the network's beginning, public ones from its end, so that one
//! more zone, or another size of the other kind, moves no subnet that exists.

use ipnet::Ipv4Net;

/// How many addresses a range has.
pub(super) fn addresses(prefix_length: u8) -> u64 {
    1 << (32 - u32::from(prefix_length.min(32)))
}

/// `count` ranges from the beginning of `network`, or none if they do not fit.
pub(super) fn from_beginning(network: Ipv4Net, prefix_length: u8, count: usize) -> Option<Vec<Ipv4Net>> {
    place(network, prefix_length, count, |index, size| index * size)
}

/// `count` ranges from the end of `network`, the last one first, or none if they do not fit.
pub(super) fn from_end(network: Ipv4Net, prefix_length: u8, count: usize) -> Option<Vec<Ipv4Net>> {
    let total = addresses(network.prefix_len());
    place(network, prefix_length, count, |index, size| total - (index + 1) * size)
}

fn place(
    network: Ipv4Net,
    prefix_length: u8,
    count: usize,
    offset: impl Fn(u64, u64) -> u64,
) -> Option<Vec<Ipv4Net>> {
    let size = addresses(prefix_length);
    let count = u64::try_from(count).ok()?;
    if size * count > addresses(network.prefix_len()) {
        return None;
    }
    (0..count)
        .map(|index| {
            let address = u64::from(u32::from(network.network())) + offset(index, size);
            Ipv4Net::new(u32::try_from(address).ok()?.into(), prefix_length).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn texts(ranges: Option<Vec<Ipv4Net>>) -> Vec<String> {
        ranges.unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn private_subnets_come_first_and_public_ones_last() {
        let network = "10.0.0.0/16".parse().unwrap();
        assert_eq!(texts(from_beginning(network, 20, 3)), ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]);
        assert_eq!(texts(from_end(network, 24, 3)), ["10.0.255.0/24", "10.0.254.0/24", "10.0.253.0/24"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let network = "10.0.0.0/24".parse().unwrap();
        assert!(from_beginning(network, 25, 2).is_some());
        assert!(from_beginning(network, 25, 3).is_none());
        assert!(from_end(network, 16, 1).is_none());
    }

    proptest! {
        #[test]
        fn subnets_lie_inside_never_overlap_and_never_move(
            prefix_length in 16u8..=24,
            private in 17u8..=26,
            public in 17u8..=27,
            count in 1usize..=6,
        ) {
            let network = Ipv4Net::new([172, 16, 0, 0].into(), prefix_length).unwrap();
            let needed = (addresses(private) + addresses(public)) * count as u64;
            prop_assume!(needed <= addresses(prefix_length));
            let private_ranges = from_beginning(network, private, count).unwrap();
            let public_ranges = from_end(network, public, count).unwrap();
            let all: Vec<Ipv4Net> = private_ranges.iter().chain(&public_ranges).copied().collect();
            for (index, range) in all.iter().enumerate() {
                prop_assert!(network.contains(range));
                prop_assert_eq!(range.trunc(), *range);
                for other in &all[index + 1..] {
                    prop_assert!(!range.contains(other) && !other.contains(range));
                }
            }
            let fewer = from_beginning(network, private, count - 1).unwrap();
            prop_assert_eq!(&private_ranges[..count - 1], &fewer[..]);
            let fewer = from_end(network, public, count - 1).unwrap();
            prop_assert_eq!(&public_ranges[..count - 1], &fewer[..]);
        }
    }
}
