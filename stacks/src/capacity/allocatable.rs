//! What a node leaves to pods.

use super::InstanceType;

/// Of each interface one address is the interface's own; two pods use the node's.
/// <https://github.com/awslabs/amazon-eks-ami/blob/main/templates/shared/runtime/eni-max-pods.txt>
const PODS_ON_THE_NODES_ADDRESS: u32 = 2;

/// How much of the memory that AWS sells never reaches the operating system, in thousandths; Karpenter counts
/// with the same. <https://karpenter.sh/docs/reference/settings/>
const HYPERVISOR_PERMILLE: u64 = 75;

/// What EKS's images reserve for the kubelet and the system: so much, and so much more for each pod.
/// <https://awslabs.github.io/amazon-eks-ami/nodeadm/>
const RESERVED_MIB: u32 = 255;
const RESERVED_MIB_PER_POD: u32 = 11;

/// Below so much free memory the kubelet evicts pods.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds>
const EVICTION_MIB: u32 = 100;

/// What pods can have, of one node or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocatable {
    /// CPU in thousandths of a core.
    pub cpu_millicores: u64,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl Allocatable {
    /// What one node of a type leaves.
    pub fn of(instance_type: &InstanceType) -> Self {
        let pods = max_pods(instance_type);
        let seen = u64::from(instance_type.memory_mib) * (1000 - HYPERVISOR_PERMILLE) / 1000;
        let reserved = u64::from(RESERVED_MIB + RESERVED_MIB_PER_POD * pods + EVICTION_MIB);
        let cpu = u64::from(instance_type.vcpus) * 1000;
        Self {
            cpu_millicores: cpu - reserved_tenths_of_millicores(instance_type.vcpus).div_ceil(10),
            memory_mib: seen.saturating_sub(reserved),
        }
    }

    /// So many times as much.
    pub fn times(self, nodes: u64) -> Self {
        Self { cpu_millicores: self.cpu_millicores * nodes, memory_mib: self.memory_mib * nodes }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_millicores: self.cpu_millicores + other.cpu_millicores,
            memory_mib: self.memory_mib + other.memory_mib,
        }
    }

    /// Whether all of `needed` fits.
    pub fn holds(self, needed: Self) -> bool {
        self.cpu_millicores >= needed.cpu_millicores && self.memory_mib >= needed.memory_mib
    }
}

/// `15.89 vCPU / 56.3 GiB`.
impl std::fmt::Display for Allocatable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (cores, millicores) = (self.cpu_millicores / 1000, self.cpu_millicores % 1000);
        let tenths = self.memory_mib * 10 / 1024;
        match millicores / 10 {
            0 => write!(formatter, "{cores} vCPU")?,
            hundredths => write!(formatter, "{cores}.{hundredths:02} vCPU")?,
        }
        match tenths % 10 {
            0 => write!(formatter, " / {} GiB", tenths / 10),
            tenth => write!(formatter, " / {}.{tenth} GiB", tenths / 10),
        }
    }
}

/// How many pods the network plugin can give addresses to.
fn max_pods(instance_type: &InstanceType) -> u32 {
    let addresses = instance_type.ipv4_addresses_per_interface.saturating_sub(1);
    instance_type.network_interfaces * addresses + PODS_ON_THE_NODES_ADDRESS
}

/// Six percent of the first core, one of the second, half of one of the next two, a quarter of one of the others.
/// <https://awslabs.github.io/amazon-eks-ami/nodeadm/>
fn reserved_tenths_of_millicores(vcpus: u32) -> u64 {
    (1..=vcpus)
        .map(|core| match core {
            1 => 600,
            2 => 100,
            3 | 4 => 50,
            _ => 25,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_reserved_follows_the_images_formulas() {
        let of = |name: &str| Allocatable::of(&InstanceType::known(name).unwrap());
        // 60 + 10 + 2 x 5 + 4 x 2.5 millicores; 58 pods.
        assert_eq!(
            of("m7i.2xlarge"),
            Allocatable { cpu_millicores: 7910, memory_mib: 30_310 - 255 - 638 - 100 }
        );
        assert_eq!(of("m7i.4xlarge").to_string(), "15.89 vCPU / 56.3 GiB");
        assert_eq!(of("m7i.2xlarge").times(3).to_string(), "23.73 vCPU / 85.8 GiB");
    }
}
