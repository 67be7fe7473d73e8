//! What is wrong with a network: a pure function of what was asked for and what is there.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Route, RouteState, RouteTable, Subnet, Tag, Vpc};

/// A network as it was asked for.
pub(super) struct Asked {
    pub(super) vpc_id: String,
    pub(super) public: Vec<String>,
    pub(super) private: Vec<String>,
}

/// What is there of it.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) vpc: Option<Vpc>,
    pub(super) dns_support: bool,
    pub(super) dns_hostnames: bool,
    pub(super) subnets: Vec<Subnet>,
    /// All of the VPC's.
    pub(super) route_tables: Vec<RouteTable>,
    /// Whether the cluster is there already.
    pub(super) has_cluster: bool,
}

/// What one kind of subnets needs.
struct Needs {
    word: &'static str,
    /// The tag by which the AWS Load Balancer Controller finds them.
    /// <https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html>
    role_tag: &'static str,
    greatest_prefix_length: u8,
    least_free_addresses: i32,
    reason: &'static str,
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html>
const PUBLIC: Needs = Needs {
    word: "public",
    role_tag: "kubernetes.io/role/elb",
    greatest_prefix_length: 27,
    least_free_addresses: 8,
    reason: "a load balancer needs a /27 with 8 free addresses",
};

/// As many as are free in a new subnet of the smallest size, in which AWS keeps five to itself.
const PRIVATE: Needs = Needs {
    word: "private",
    role_tag: "kubernetes.io/role/internal-elb",
    greatest_prefix_length: 26,
    least_free_addresses: 59,
    reason: "nodes, pods and data stores take their addresses here",
};

impl Asked {
    /// All subnets.
    pub(super) fn subnet_ids(&self) -> impl Iterator<Item = &String> {
        self.public.iter().chain(&self.private)
    }

    /// All that is wrong, in words that say what to do.
    pub(super) fn problems(&self, seen: &Seen) -> Vec<String> {
        let vpc_id = &self.vpc_id;
        if seen.vpc.is_none() {
            return vec![format!("{vpc_id}: there is no such VPC in this account and region")];
        }
        let mut problems = Vec::new();
        for (is_on, word, flag) in [
            (seen.dns_support, "DNS support is", "enable-dns-support"),
            (seen.dns_hostnames, "DNS host names are", "enable-dns-hostnames"),
        ] {
            if !is_on {
                problems.push(format!(
                    "{vpc_id}: {word} off, without which nodes do not find the cluster: \
                     `aws ec2 modify-vpc-attribute --vpc-id {vpc_id} --{flag}`"
                ));
            }
        }
        let mut zones: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (ids, needs) in [(&self.public, &PUBLIC), (&self.private, &PRIVATE)] {
            let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
            for id in ids {
                let Some(subnet) = seen.subnets.iter().find(|subnet| subnet.subnet_id() == Some(id)) else {
                    problems.push(format!("{id}: there is no such subnet in this account and region"));
                    continue;
                };
                if subnet.vpc_id() != Some(vpc_id) {
                    let other = subnet.vpc_id().unwrap_or("another VPC");
                    problems.push(format!("{id} is part of {other}, not of {vpc_id}"));
                    continue;
                }
                let zone = subnet.availability_zone().unwrap_or_default();
                if let Some(other) = taken.insert(zone, id) {
                    problems.push(format!(
                        "{id} and {other} are both in {zone}: each {} subnet needs a zone of its own",
                        needs.word
                    ));
                }
                needs.check(subnet, seen, &mut problems);
            }
            zones.insert(needs.word, taken.into_keys().collect());
        }
        for (word, other) in [("private", "public"), ("public", "private")] {
            for zone in zones[word].difference(&zones[other]) {
                problems.push(format!(
                    "{zone} has a {word} subnet and no {other} one: load balancers reach pods in their own zones only"
                ));
            }
        }
        problems
    }
}

impl Needs {
    fn check(&self, subnet: &Subnet, seen: &Seen, problems: &mut Vec<String>) {
        let (id, word) = (subnet.subnet_id().unwrap_or_default(), self.word);
        let range = subnet.cidr_block().unwrap_or_default();
        let prefix_length = range.parse::<ipnet::Ipv4Net>().map_or(32, |range| range.prefix_len());
        let free = subnet.available_ip_address_count().unwrap_or_default();
        if prefix_length > self.greatest_prefix_length {
            problems.push(format!(
                "{id} is too small for a {word} subnet: {range}, and it takes a /{}: {}",
                self.greatest_prefix_length, self.reason
            ));
        } else if free < self.least_free_addresses && !seen.has_cluster {
            problems.push(format!(
                "{id} has {free} free addresses, and a {word} subnet takes {}: {}",
                self.least_free_addresses, self.reason
            ));
        }
        let role =
            |tag: &Tag| tag.key() == Some(self.role_tag) && matches!(tag.value(), Some("1" | "") | None);
        if !subnet.tags().iter().any(role) {
            problems.push(format!(
                "{id} lacks the tag {}, by which load balancers find {word} subnets: \
                 `aws ec2 create-tags --resources {id} --tags Key={},Value=1`",
                self.role_tag, self.role_tag
            ));
        }
        let way_out = way_out(id, &seen.route_tables);
        let to_gateway = way_out.and_then(Route::gateway_id).filter(|gateway| gateway.starts_with("igw-"));
        match (word, way_out, to_gateway) {
            (_, None, _) => problems.push(format!(
                "{id} has no route to 0.0.0.0/0: {}",
                if word == "public" { "it takes one to an internet gateway" } else { "nodes could fetch no images" }
            )),
            ("public", Some(_), None) => {
                problems.push(format!("{id} is not public: its route to 0.0.0.0/0 leads to no internet gateway"));
            }
            ("private", Some(_), Some(gateway)) => problems.push(format!(
                "{id} is not private: its route to 0.0.0.0/0 leads to {gateway}, and nodes have no public addresses"
            )),
            _ => {}
        }
    }
}

/// The route by which a subnet reaches the internet: that of its own table, or of the VPC's main one.
fn way_out<'t>(subnet_id: &str, tables: &'t [RouteTable]) -> Option<&'t Route> {
    let own = |table: &&RouteTable| table.associations().iter().any(|one| one.subnet_id() == Some(subnet_id));
    let main = |table: &&RouteTable| table.associations().iter().any(|one| one.main() == Some(true));
    let table = tables.iter().find(own).or_else(|| tables.iter().find(main))?;
    table.routes().iter().find(|route| {
        route.destination_cidr_block() == Some("0.0.0.0/0") && route.state() != Some(&RouteState::Blackhole)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_ec2::types::RouteTableAssociation;

    use super::*;

    fn tag(key: &str) -> Tag {
        Tag::builder().key(key).value("1").build()
    }

    fn subnet(id: &str, zone: &str, needs: &Needs) -> Subnet {
        Subnet::builder()
            .subnet_id(id)
            .vpc_id("vpc-1")
            .availability_zone(zone)
            .cidr_block("10.0.0.0/24")
            .available_ip_address_count(251)
            .tags(tag(needs.role_tag))
            .build()
    }

    fn table(association: RouteTableAssociation, way_out: Route) -> RouteTable {
        RouteTable::builder().associations(association).routes(way_out).build()
    }

    fn anywhere() -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block("0.0.0.0/0").state(RouteState::Active)
    }

    fn asked() -> Asked {
        let ids = |word: &str| ["a", "b"].map(|zone| format!("subnet-{word}-{zone}")).to_vec();
        Asked { vpc_id: "vpc-1".to_owned(), public: ids("public"), private: ids("private") }
    }

    /// A network with nothing wrong: the private subnets use the main table.
    fn good() -> Seen {
        let subnets = ["a", "b"].iter().flat_map(|zone| {
            [("public", &PUBLIC), ("private", &PRIVATE)]
                .map(|(word, needs)| subnet(&format!("subnet-{word}-{zone}"), zone, needs))
        });
        let public = ["a", "b"].map(|zone| {
            let subnet_id = format!("subnet-public-{zone}");
            let association = RouteTableAssociation::builder().subnet_id(subnet_id).build();
            table(association, anywhere().gateway_id("igw-1").build())
        });
        let main = RouteTableAssociation::builder().main(true).build();
        let main = table(main, anywhere().nat_gateway_id("nat-1").build());
        Seen {
            vpc: Some(Vpc::builder().vpc_id("vpc-1").build()),
            dns_support: true,
            dns_hostnames: true,
            subnets: subnets.collect(),
            route_tables: public.into_iter().chain([main]).collect(),
            has_cluster: false,
        }
    }

    fn refused(change: impl FnOnce(&mut Seen)) -> String {
        let mut seen = good();
        change(&mut seen);
        asked().problems(&seen).join("\n")
    }

    /// Changes the subnet `subnet-private-a`.
    fn private(seen: &mut Seen, change: impl FnOnce(&mut Subnet)) {
        change(
            seen.subnets.iter_mut().find(|subnet| subnet.subnet_id() == Some("subnet-private-a")).unwrap(),
        );
    }

    #[test]
    fn a_good_network_is_taken() {
        assert_eq!(refused(|_| ()), "");
    }

    #[test]
    fn each_thing_that_is_wrong_is_said() {
        type Change = fn(&mut Seen);
        let cases: [(&str, Change); 12] = [
            ("no such VPC", |seen| seen.vpc = None),
            ("DNS support is off", |seen| seen.dns_support = false),
            ("--enable-dns-hostnames", |seen| seen.dns_hostnames = false),
            ("subnet-private-a: there is no such subnet", |seen| {
                seen.subnets.retain(|subnet| subnet.subnet_id() != Some("subnet-private-a"));
            }),
            ("subnet-private-a is part of vpc-2, not of vpc-1", |seen| {
                private(seen, |subnet| subnet.vpc_id = Some("vpc-2".to_owned()));
            }),
            ("subnet-private-b and subnet-private-a are both in b", |seen| {
                private(seen, |subnet| subnet.availability_zone = Some("b".to_owned()));
            }),
            ("a has a public subnet and no private one", |seen| {
                private(seen, |subnet| subnet.availability_zone = Some("c".to_owned()));
            }),
            ("subnet-private-a is too small for a private subnet: 10.0.0.0/27", |seen| {
                private(seen, |subnet| subnet.cidr_block = Some("10.0.0.0/27".to_owned()));
            }),
            ("subnet-private-a has 58 free addresses, and a private subnet takes 59", |seen| {
                private(seen, |subnet| subnet.available_ip_address_count = Some(58));
            }),
            ("--resources subnet-private-a --tags Key=kubernetes.io/role/internal-elb,Value=1", |seen| {
                private(seen, |subnet| subnet.tags = None);
            }),
            ("subnet-private-a has no route to 0.0.0.0/0: nodes could fetch no images", |seen| {
                seen.route_tables[2].routes.as_mut().unwrap()[0].state = Some(RouteState::Blackhole);
            }),
            ("subnet-private-a is not private: its route to 0.0.0.0/0 leads to igw-1", |seen| {
                seen.route_tables[2].routes = Some(vec![anywhere().gateway_id("igw-1").build()]);
            }),
        ];
        for (expected, change) in cases {
            let said = refused(change);
            assert!(said.contains(expected), "{expected:?} is not in {said:?}");
        }
        let said = refused(|seen| seen.route_tables.truncate(0));
        assert!(said.contains("subnet-public-a has no route to 0.0.0.0/0: it takes one"), "{said}");
        let said = refused(|seen| {
            seen.route_tables[0].routes = Some(vec![anywhere().nat_gateway_id("nat-1").build()]);
        });
        assert_eq!(
            said,
            "subnet-public-a is not public: its route to 0.0.0.0/0 leads to no internet gateway"
        );
    }

    #[test]
    fn all_of_it_is_said_at_once() {
        let said = refused(|seen| {
            seen.dns_support = false;
            private(seen, |subnet| {
                subnet.tags = None;
                subnet.available_ip_address_count = Some(3);
            });
        });
        assert_eq!(said.lines().count(), 3, "{said}");
    }

    #[test]
    fn a_cluster_lives_on_the_addresses() {
        let said = refused(|seen| {
            seen.has_cluster = true;
            private(seen, |subnet| subnet.available_ip_address_count = Some(0));
        });
        assert_eq!(said, "");
    }
}
