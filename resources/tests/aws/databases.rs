//! What databases stand on, and secrets for them.

use ipnet::Ipv4Net;
use lsinfra_engine::{Secret, SecretKey};
use lsinfra_resources::aws::ec2::{SecurityGroup, SecurityGroupId, Subnet, SubnetId, VpcId};
use secrecy::SecretString;

use crate::ec2_network::{cidr, vpc};
use crate::harness::{Object, Region};

/// A VPC with subnets in three zones and two security groups.
pub(crate) struct Network {
    pub(crate) subnets: Vec<Object>,
    pub(crate) security_groups: Vec<Object>,
    vpc: Object,
}

impl Network {
    pub(crate) async fn open(region: &Region) -> Self {
        let vpc = vpc(region).await;
        let mut subnets = Vec::new();
        for (index, zone) in ["a", "b", "c"].into_iter().enumerate() {
            let range: Ipv4Net = cidr(&format!("10.0.{index}.0/24"));
            let inputs = Subnet {
                vpc_id: vpc.output::<VpcId>("id").into(),
                cidr_block: range.into(),
                availability_zone: format!("{}{zone}", region.connection.region).into(),
                ..Subnet::default()
            };
            subnets.push(region.create(&format!("private-{zone}"), inputs).await);
        }
        let mut security_groups = Vec::new();
        for name in ["clients", "others"] {
            let inputs = SecurityGroup {
                name: region.fresh_name(name).into(),
                description: "for a test".into(),
                vpc_id: vpc.output::<VpcId>("id").into(),
                ..SecurityGroup::default()
            };
            security_groups.push(region.create(name, inputs).await);
        }
        Self { subnets, security_groups, vpc }
    }

    pub(crate) fn subnet_ids(&self) -> Vec<SubnetId> {
        self.subnets.iter().map(|subnet| subnet.output("id")).collect()
    }

    pub(crate) fn security_group_ids(&self) -> Vec<SecurityGroupId> {
        self.security_groups.iter().map(|group| group.output("id")).collect()
    }

    /// Deletes all of it, which shows that nothing stands in it any more.
    pub(crate) async fn close(self) {
        for object in self.security_groups.into_iter().chain(self.subnets) {
            object.delete().await;
        }
        self.vpc.delete().await;
    }
}

/// A secret with this plain text.
pub(crate) fn secret(plain: &str) -> Secret {
    Secret::given(&SecretKey::new([7; 32]), SecretString::from(plain.to_owned()))
}

/// A maintenance window that begins two to four days from now, which no test lasts.
pub(crate) fn far_window() -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday();
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        [usize::try_from(today.to_monday_zero_offset() + 3).unwrap() % 7];
    format!("{day}:05:00-{day}:06:00")
}
