//! Network ACLs: the default one of each VPC, which all its subnets use.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAcl.html>

use serde::{Deserialize, Serialize};
use winterbaume_ec2_generated::model::{
    self, DescribeNetworkAclsResult, NetworkAclAssociation, NetworkAclEntry,
};
use winterbaume_ec2_generated::wire::serialize_describe_network_acls_response;

use super::common::query::Query;
use super::common::{kinds, tags};
use crate::cloud::call::{Call, Reply};
use crate::protocol::response;

/// A default network ACL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NetworkAcl {
    pub(crate) vpc_id: String,
}

/// The rule that AWS puts behind all others.
const LAST_RULE: i32 = 32_767;

pub(super) fn make_default(call: &mut Call<'_>, vpc_id: &str) {
    let id = call.identifiers.ec2(kinds::NETWORK_ACL.prefix);
    call.tables.ec2.network_acls.insert(&call.scope, id, NetworkAcl { vpc_id: vpc_id.to_owned() });
}

pub(super) fn unmake_default(call: &mut Call<'_>, vpc_id: &str) {
    let (ec2, scope) = (&mut call.tables.ec2, &call.scope);
    let of_vpc =
        ec2.network_acls.iter(scope).find(|(_, acl)| acl.vpc_id == vpc_id).map(|(id, _)| id.to_owned());
    if let Some(id) = of_vpc {
        ec2.network_acls.remove(scope, &id);
        ec2.tags.remove(scope, &id);
    }
}

pub(super) fn describe(call: &mut Call<'_>) -> Reply {
    let known = ["association.subnet-id", "default", "network-acl-id", "owner-id", "vpc-id"];
    let query = Query::read(call.params, &kinds::NETWORK_ACL, "NetworkAclId", &known)?;
    call.params.finish()?;
    let (ec2, scope) = (&call.tables.ec2, &call.scope);
    let subnets = |acl: &NetworkAcl| -> Vec<String> {
        let vpc_id = acl.vpc_id.clone();
        let of_vpc = ec2.subnets.iter(scope).filter(|(_, subnet)| subnet.vpc_id == vpc_id);
        of_vpc.map(|(id, _)| id.to_owned()).collect()
    };
    let found = query.run(
        ec2.network_acls.iter(scope),
        &ec2.tags,
        scope,
        call.shuffle,
        |id, acl, name| match name {
            "association.subnet-id" => subnets(acl),
            "default" => vec!["true".to_owned()],
            "owner-id" => vec![scope.account.to_string()],
            "vpc-id" => vec![acl.vpc_id.clone()],
            _ => vec![id.to_owned()],
        },
    )?;
    let acls: Vec<_> = found
        .items
        .iter()
        .map(|(id, acl)| {
            let associations: Vec<_> = subnets(acl)
                .into_iter()
                .map(|subnet| NetworkAclAssociation {
                    network_acl_association_id: Some(subnet.replacen("subnet-", "aclassoc-", 1)),
                    network_acl_id: Some((*id).to_owned()),
                    subnet_id: Some(subnet),
                })
                .collect();
            let entries: Vec<_> = [(true, 100), (true, LAST_RULE), (false, 100), (false, LAST_RULE)]
                .into_iter()
                .map(|(egress, number)| entry(egress, number))
                .collect();
            model::NetworkAcl {
                associations: Some(associations.into()),
                entries: Some(entries.into()),
                is_default: Some(true),
                network_acl_id: Some((*id).to_owned()),
                owner_id: Some(scope.account.to_string()),
                tags: Some(tags::wire(ec2.tags.get(scope, id))),
                vpc_id: Some(acl.vpc_id.clone()),
            }
        })
        .collect();
    Ok(response(serialize_describe_network_acls_response(&DescribeNetworkAclsResult {
        network_acls: Some(acls.into()),
        next_token: found.next_token,
    })))
}

fn entry(egress: bool, number: i32) -> NetworkAclEntry {
    let action = if number == LAST_RULE { "deny" } else { "allow" };
    NetworkAclEntry {
        cidr_block: Some("0.0.0.0/0".to_owned()),
        egress: Some(egress),
        protocol: Some("-1".to_owned()),
        rule_action: Some(action.to_owned()),
        rule_number: Some(number),
        ..Default::default()
    }
}
