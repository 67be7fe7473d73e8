//! A network that is there already: looked up and checked, never changed.

use lsinfra_engine::{Output, Stack, ValueError};
use lsinfra_resources::aws::ec2::{ExistingNetwork, SubnetId, VpcId};

use super::network::{Network, Ways};
use super::{Environment, StackError, cluster};
use crate::config::ExistingNetworkConfig;

pub(super) fn declare(
    stack: &Stack,
    environment: &Environment<'_>,
    network: &ExistingNetworkConfig,
) -> Result<Network, StackError> {
    let ids = |ids: &[String]| ids.iter().map(SubnetId::new).collect::<Vec<SubnetId>>();
    let found = stack.run(
        "main",
        ExistingNetwork {
            vpc_id: VpcId::new(&network.vpc_id).into(),
            public_subnet_ids: ids(&network.public_subnet_ids).into(),
            private_subnet_ids: ids(&network.private_subnet_ids).into(),
            cluster_name: cluster::name(environment).into(),
        },
    )?;
    Ok(Network {
        vpc_id: found.vpc_id.clone(),
        public_subnet_ids: each(&found.public_subnet_ids, network.public_subnet_ids.len()),
        private_subnet_ids: each(&found.private_subnet_ids, network.private_subnet_ids.len()),
        nat_addresses: Vec::new(),
        ways: Ways::default(),
    })
}

/// Each of so many subnets.
fn each(subnet_ids: &Output<Vec<SubnetId>>, count: usize) -> Vec<Output<SubnetId>> {
    let nth = |index: usize| {
        subnet_ids.try_map(move |ids| {
            let id = ids.get(index).cloned();
            id.ok_or_else(|| ValueError::new(format!("there are {} subnets, not {count}", ids.len())))
        })
    };
    (0..count).map(nth).collect()
}
