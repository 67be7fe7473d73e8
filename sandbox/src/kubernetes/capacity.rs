//! What a node of EKS has, and what of it pods can have.

/// AWS's figures on an instance type, as far as they count here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InstanceFigures {
    /// Its vCPUs.
    pub(crate) vcpus: u64,
    /// Its memory in MiB.
    pub(crate) memory_mib: u64,
    /// Its network interfaces.
    pub(crate) network_interfaces: u64,
    /// The IPv4 addresses of each.
    pub(crate) ipv4_addresses_per_interface: u64,
}

/// What a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(super) cpu_millicores: u64,
    pub(super) memory_mib: u64,
    pub(super) pods: u64,
    pub(super) ephemeral_storage_gib: u64,
}

/// How much of the memory that AWS sells never reaches the operating system, in thousandths; Karpenter counts with the
/// same. <https://karpenter.sh/docs/reference/settings/>
const HYPERVISOR_PERMILLE: u64 = 75;
/// What EKS's images reserve of the memory: so much, and so much more for each pod; and below so much the kubelet evicts.
/// <https://awslabs.github.io/amazon-eks-ami/nodeadm/>
const RESERVED_MIB: u64 = 255;
const RESERVED_MIB_PER_POD: u64 = 11;
const EVICTION_MIB: u64 = 100;

impl Capacity {
    /// All that a node of a type has.
    pub(crate) fn of(figures: InstanceFigures, disk_gib: u64) -> Self {
        // Each interface keeps an address for itself; two pods use the node's.
        // <https://github.com/awslabs/amazon-eks-ami/blob/main/templates/shared/runtime/eni-max-pods.txt>
        let addresses = figures.ipv4_addresses_per_interface.saturating_sub(1);
        Self {
            cpu_millicores: figures.vcpus * 1000,
            memory_mib: figures.memory_mib * (1000 - HYPERVISOR_PERMILLE) / 1000,
            pods: figures.network_interfaces * addresses + 2,
            ephemeral_storage_gib: disk_gib,
        }
    }

    /// What of it pods can have. Of the cores, six percent of the first are reserved, one of the second, half of one of the
    /// next two and a quarter of one of the others. <https://awslabs.github.io/amazon-eks-ami/nodeadm/>
    pub(crate) fn allocatable(self) -> Self {
        let reserved_tenths: u64 = (1..=self.cpu_millicores / 1000)
            .map(|core| match core {
                1 => 600,
                2 => 100,
                3 | 4 => 50,
                _ => 25,
            })
            .sum();
        let reserved_mib = RESERVED_MIB + RESERVED_MIB_PER_POD * self.pods + EVICTION_MIB;
        Self {
            cpu_millicores: self.cpu_millicores - reserved_tenths.div_ceil(10),
            memory_mib: self.memory_mib.saturating_sub(reserved_mib),
            // A tenth is left to the system.
            ephemeral_storage_gib: self.ephemeral_storage_gib * 9 / 10,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_follows_the_images_formulas() {
        let figures = InstanceFigures {
            vcpus: 8,
            memory_mib: 32 * 1024,
            network_interfaces: 4,
            ipv4_addresses_per_interface: 15,
        };
        let capacity = Capacity::of(figures, 20);
        assert_eq!(
            capacity,
            Capacity { cpu_millicores: 8000, memory_mib: 30_310, pods: 58, ephemeral_storage_gib: 20 }
        );
        // 60 + 10 + 2 x 5 + 4 x 2.5 millicores.
        let expected = Capacity {
            cpu_millicores: 7910,
            memory_mib: 30_310 - 255 - 638 - 100,
            pods: 58,
            ephemeral_storage_gib: 18,
        };
        assert_eq!(capacity.allocatable(), expected);
    }
}
