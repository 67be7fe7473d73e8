//! The typed values of a node group's settings, and how the SDK writes them.

use aws_sdk_eks::types::{
    AmiTypes, CapacityTypes, NodegroupUpdateConfig, Taint as SdkTaint, TaintEffect as SdkEffect,
};
use lsinfra_engine::Property;
use serde::{Deserialize, Serialize};

/// What image nodes start from.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html#AmazonEKS-Type-Nodegroup-amiType>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum AmiType {
    /// Amazon Linux 2023 for x86-64.
    Al2023X8664Standard,
    /// Amazon Linux 2023 for 64-bit Arm.
    Al2023Arm64Standard,
    /// Bottlerocket for x86-64.
    BottlerocketX8664,
    /// Bottlerocket for 64-bit Arm.
    BottlerocketArm64,
    /// The one that the launch template names.
    Custom,
}

impl AmiType {
    pub(super) fn to_sdk(self) -> AmiTypes {
        match self {
            Self::Al2023X8664Standard => AmiTypes::Al2023X8664Standard,
            Self::Al2023Arm64Standard => AmiTypes::Al2023Arm64Standard,
            Self::BottlerocketX8664 => AmiTypes::BottlerocketX8664,
            Self::BottlerocketArm64 => AmiTypes::BottlerocketArm64,
            Self::Custom => AmiTypes::Custom,
        }
    }

    pub(super) fn from_sdk(ami_type: &AmiTypes) -> Option<Self> {
        let all = [
            Self::Al2023X8664Standard,
            Self::Al2023Arm64Standard,
            Self::BottlerocketX8664,
            Self::BottlerocketArm64,
            Self::Custom,
        ];
        all.into_iter().find(|known| known.to_sdk() == *ami_type)
    }
}

/// How instances are paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum CapacityType {
    /// At the full price, for as long as they are wanted: AWS's default.
    OnDemand,
    /// At a lower price, until AWS wants them back.
    Spot,
}

impl CapacityType {
    pub(super) fn to_sdk(self) -> CapacityTypes {
        match self {
            Self::OnDemand => CapacityTypes::OnDemand,
            Self::Spot => CapacityTypes::Spot,
        }
    }

    pub(super) fn from_sdk(capacity: &CapacityTypes) -> Option<Self> {
        [Self::OnDemand, Self::Spot].into_iter().find(|known| known.to_sdk() == *capacity)
    }
}

/// What keeps pods off the nodes of a group, unless they tolerate it.
/// <https://docs.aws.amazon.com/eks/latest/userguide/node-taints-managed-node-groups.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    /// Its key, 1 to 63 characters.
    pub key: String,
    /// Its value, at most 63 characters; it may be empty.
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
}

impl Taint {
    pub(super) fn to_sdk(&self) -> SdkTaint {
        SdkTaint::builder().key(&self.key).value(&self.value).effect(self.effect.to_sdk()).build()
    }

    pub(super) fn from_sdk(taint: &SdkTaint) -> Option<Self> {
        Some(Self {
            key: taint.key()?.to_owned(),
            value: taint.value().unwrap_or_default().to_owned(),
            effect: taint.effect().and_then(TaintEffect::from_sdk)?,
        })
    }
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum TaintEffect {
    /// They are not put there.
    NoSchedule,
    /// They are not put there, and those that are there go.
    NoExecute,
    /// They are put elsewhere if that can be.
    PreferNoSchedule,
}

impl TaintEffect {
    fn to_sdk(self) -> SdkEffect {
        match self {
            Self::NoSchedule => SdkEffect::NoSchedule,
            Self::NoExecute => SdkEffect::NoExecute,
            Self::PreferNoSchedule => SdkEffect::PreferNoSchedule,
        }
    }

    fn from_sdk(effect: &SdkEffect) -> Option<Self> {
        let all = [Self::NoSchedule, Self::NoExecute, Self::PreferNoSchedule];
        all.into_iter().find(|known| known.to_sdk() == *effect)
    }
}

/// How many nodes may be away at once while a group goes to another version.
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_NodegroupUpdateConfig.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(rename_all = "snake_case")]
pub enum MaxUnavailable {
    /// This many, 1 to 100; AWS's default is one.
    Nodes(i32),
    /// This share of them, 1 to 100 percent.
    Percentage(i32),
}

impl MaxUnavailable {
    /// AWS's default.
    pub(super) const ONE: Self = Self::Nodes(1);

    pub(super) fn to_sdk(self) -> NodegroupUpdateConfig {
        let config = NodegroupUpdateConfig::builder();
        match self {
            Self::Nodes(nodes) => config.max_unavailable(nodes).build(),
            Self::Percentage(percentage) => config.max_unavailable_percentage(percentage).build(),
        }
    }

    pub(super) fn from_sdk(config: &NodegroupUpdateConfig) -> Option<Self> {
        let nodes = config.max_unavailable().map(Self::Nodes);
        nodes.or_else(|| config.max_unavailable_percentage().map(Self::Percentage))
    }

    /// Whether it is a number that AWS takes.
    pub(super) fn is_legal(self) -> bool {
        let (Self::Nodes(number) | Self::Percentage(number)) = self;
        (1..=100).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn settings_survive_the_way_to_aws_and_back() {
        for ami_type in [AmiType::Al2023X8664Standard, AmiType::BottlerocketArm64, AmiType::Custom] {
            assert_eq!(AmiType::from_sdk(&ami_type.to_sdk()), Some(ami_type));
        }
        for capacity in [CapacityType::OnDemand, CapacityType::Spot] {
            assert_eq!(CapacityType::from_sdk(&capacity.to_sdk()), Some(capacity));
        }
        for effect in [TaintEffect::NoSchedule, TaintEffect::NoExecute, TaintEffect::PreferNoSchedule] {
            let taint = Taint { key: "dedicated".to_owned(), value: "clickhouse".to_owned(), effect };
            assert_eq!(Taint::from_sdk(&taint.to_sdk()), Some(taint.clone()));
            assert_eq!(Taint::from_value(&taint.to_value()).unwrap(), taint);
        }
        for away in [MaxUnavailable::ONE, MaxUnavailable::Percentage(33)] {
            assert_eq!(MaxUnavailable::from_sdk(&away.to_sdk()), Some(away));
            assert_eq!(MaxUnavailable::from_value(&away.to_value()).unwrap(), away);
        }
    }
}
