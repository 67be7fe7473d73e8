//! What instance types have: a dated table, for planning without asking AWS.
//!
//! What AWS says when it is asked counts more: see [`InstanceType::differences`]. Figures only; what follows from them is
//! in the modules beside this one.

/// Of when the table is: the answer of `DescribeInstanceTypes`, as published with moto 5.2.5.
pub const AS_OF: &str = "2026-11";

/// An instance type, as far as it matters to Kubernetes and to volumes.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// Its name, such as `m7i.2xlarge`.
    pub name: String,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory as AWS sells it, in MiB.
    pub memory_mib: u32,
    /// The bandwidth to volumes that it can always give, in megabits per second.
    pub ebs_baseline_megabits_per_second: u32,
    /// The most network interfaces.
    pub network_interfaces: u32,
    /// The most IPv4 addresses of each.
    pub ipv4_addresses_per_interface: u32,
}

impl InstanceType {
    /// The type of a name, if it is in the table.
    pub fn known(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.0 == name).map(Self::from)
    }

    /// The names in the table.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    /// In which figures another source differs from this one; nothing if it agrees.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let figures = [
            ("vCPUs", self.vcpus, other.vcpus),
            ("MiB of memory", self.memory_mib, other.memory_mib),
            (
                "Mbit/s to volumes",
                self.ebs_baseline_megabits_per_second,
                other.ebs_baseline_megabits_per_second,
            ),
            ("network interfaces", self.network_interfaces, other.network_interfaces),
            (
                "addresses per interface",
                self.ipv4_addresses_per_interface,
                other.ipv4_addresses_per_interface,
            ),
        ];
        let differing = figures.into_iter().filter(|(_, ours, theirs)| ours != theirs);
        differing.map(|(what, ours, theirs)| format!("{theirs} {what} instead of {ours}")).collect()
    }
}

/// Name, vCPUs, memory in MiB, baseline bandwidth to volumes in Mbit/s, network interfaces, addresses of each.
type Row = (&'static str, u32, u32, u32, u32, u32);

impl From<&Row> for InstanceType {
    fn from(row: &Row) -> Self {
        Self {
            name: row.0.to_owned(),
            vcpus: row.1,
            memory_mib: row.2,
            ebs_baseline_megabits_per_second: row.3,
            network_interfaces: row.4,
            ipv4_addresses_per_interface: row.5,
        }
    }
}

/// Types that run what LangSmith consists of: x86-64, of the present generations.
const TABLE: &[Row] = &[
    ("m5.xlarge", 4, 16_384, 1_150, 4, 15),
    ("m5.2xlarge", 8, 32_768, 2_300, 4, 15),
    ("m5.4xlarge", 16, 65_536, 4_750, 8, 30),
    ("m5.8xlarge", 32, 131_072, 6_800, 8, 30),
    ("m5.12xlarge", 48, 196_608, 9_500, 8, 30),
    ("m5.16xlarge", 64, 262_144, 13_600, 15, 50),
    ("m5a.xlarge", 4, 16_384, 1_085, 4, 15),
    ("m5a.2xlarge", 8, 32_768, 1_580, 4, 15),
    ("m5a.4xlarge", 16, 65_536, 2_880, 8, 30),
    ("m5a.8xlarge", 32, 131_072, 4_750, 8, 30),
    ("m5a.12xlarge", 48, 196_608, 6_780, 8, 30),
    ("m5a.16xlarge", 64, 262_144, 9_500, 15, 50),
    ("m5n.xlarge", 4, 16_384, 1_150, 4, 15),
    ("m5n.2xlarge", 8, 32_768, 2_300, 4, 15),
    ("m5n.4xlarge", 16, 65_536, 4_750, 8, 30),
    ("m5n.8xlarge", 32, 131_072, 6_800, 8, 30),
    ("m5n.12xlarge", 48, 196_608, 9_500, 8, 30),
    ("m5n.16xlarge", 64, 262_144, 13_600, 15, 50),
    ("m6a.xlarge", 4, 16_384, 1_250, 4, 15),
    ("m6a.2xlarge", 8, 32_768, 2_500, 4, 15),
    ("m6a.4xlarge", 16, 65_536, 5_000, 8, 30),
    ("m6a.8xlarge", 32, 131_072, 10_000, 8, 30),
    ("m6a.12xlarge", 48, 196_608, 15_000, 8, 30),
    ("m6a.16xlarge", 64, 262_144, 20_000, 15, 50),
    ("m6i.xlarge", 4, 16_384, 1_250, 4, 15),
    ("m6i.2xlarge", 8, 32_768, 2_500, 4, 15),
    ("m6i.4xlarge", 16, 65_536, 5_000, 8, 30),
    ("m6i.8xlarge", 32, 131_072, 10_000, 8, 30),
    ("m6i.12xlarge", 48, 196_608, 15_000, 8, 30),
    ("m6i.16xlarge", 64, 262_144, 20_000, 15, 50),
    ("m6in.xlarge", 4, 16_384, 3_125, 4, 15),
    ("m6in.2xlarge", 8, 32_768, 6_250, 4, 15),
    ("m6in.4xlarge", 16, 65_536, 12_500, 8, 30),
    ("m6in.8xlarge", 32, 131_072, 25_000, 8, 30),
    ("m6in.12xlarge", 48, 196_608, 37_500, 8, 30),
    ("m6in.16xlarge", 64, 262_144, 50_000, 15, 50),
    ("m6idn.xlarge", 4, 16_384, 3_125, 4, 15),
    ("m6idn.2xlarge", 8, 32_768, 6_250, 4, 15),
    ("m6idn.4xlarge", 16, 65_536, 12_500, 8, 30),
    ("m6idn.8xlarge", 32, 131_072, 25_000, 8, 30),
    ("m6idn.12xlarge", 48, 196_608, 37_500, 8, 30),
    ("m6idn.16xlarge", 64, 262_144, 50_000, 15, 50),
    ("m7a.xlarge", 4, 16_384, 1_250, 4, 15),
    ("m7a.2xlarge", 8, 32_768, 2_500, 4, 15),
    ("m7a.4xlarge", 16, 65_536, 5_000, 8, 30),
    ("m7a.8xlarge", 32, 131_072, 10_000, 8, 30),
    ("m7a.12xlarge", 48, 196_608, 15_000, 8, 30),
    ("m7a.16xlarge", 64, 262_144, 20_000, 15, 50),
    ("m7i.xlarge", 4, 16_384, 1_250, 4, 15),
    ("m7i.2xlarge", 8, 32_768, 2_500, 4, 15),
    ("m7i.4xlarge", 16, 65_536, 5_000, 8, 30),
    ("m7i.8xlarge", 32, 131_072, 10_000, 8, 30),
    ("m7i.12xlarge", 48, 196_608, 15_000, 8, 30),
    ("m7i.16xlarge", 64, 262_144, 20_000, 15, 50),
    ("m8i.xlarge", 4, 16_384, 1_250, 4, 30),
    ("m8i.2xlarge", 8, 32_768, 2_500, 4, 30),
    ("m8i.4xlarge", 16, 65_536, 5_000, 8, 50),
    ("m8i.8xlarge", 32, 131_072, 10_000, 10, 50),
    ("m8i.12xlarge", 48, 196_608, 15_000, 12, 50),
    ("m8i.16xlarge", 64, 262_144, 20_000, 16, 64),
    ("r5.xlarge", 4, 32_768, 1_150, 4, 15),
    ("r5.2xlarge", 8, 65_536, 2_300, 4, 15),
    ("r5.4xlarge", 16, 131_072, 4_750, 8, 30),
    ("r5.8xlarge", 32, 262_144, 6_800, 8, 30),
    ("r5.12xlarge", 48, 393_216, 9_500, 8, 30),
    ("r5.16xlarge", 64, 524_288, 13_600, 15, 50),
    ("r5b.xlarge", 4, 32_768, 2_500, 4, 15),
    ("r5b.2xlarge", 8, 65_536, 5_000, 4, 15),
    ("r5b.4xlarge", 16, 131_072, 10_000, 8, 30),
    ("r5b.8xlarge", 32, 262_144, 20_000, 8, 30),
    ("r5b.12xlarge", 48, 393_216, 30_000, 8, 30),
    ("r5b.16xlarge", 64, 524_288, 40_000, 15, 50),
    ("r5n.xlarge", 4, 32_768, 1_150, 4, 15),
    ("r5n.2xlarge", 8, 65_536, 2_300, 4, 15),
    ("r5n.4xlarge", 16, 131_072, 4_750, 8, 30),
    ("r5n.8xlarge", 32, 262_144, 6_800, 8, 30),
    ("r5n.12xlarge", 48, 393_216, 9_500, 8, 30),
    ("r5n.16xlarge", 64, 524_288, 13_600, 15, 50),
    ("r6a.xlarge", 4, 32_768, 1_250, 4, 15),
    ("r6a.2xlarge", 8, 65_536, 2_500, 4, 15),
    ("r6a.4xlarge", 16, 131_072, 5_000, 8, 30),
    ("r6a.8xlarge", 32, 262_144, 10_000, 8, 30),
    ("r6a.12xlarge", 48, 393_216, 15_000, 8, 30),
    ("r6a.16xlarge", 64, 524_288, 20_000, 15, 50),
    ("r6i.xlarge", 4, 32_768, 1_250, 4, 15),
    ("r6i.2xlarge", 8, 65_536, 2_500, 4, 15),
    ("r6i.4xlarge", 16, 131_072, 5_000, 8, 30),
    ("r6i.8xlarge", 32, 262_144, 10_000, 8, 30),
    ("r6i.12xlarge", 48, 393_216, 15_000, 8, 30),
    ("r6i.16xlarge", 64, 524_288, 20_000, 15, 50),
    ("r6in.xlarge", 4, 32_768, 3_125, 4, 15),
    ("r6in.2xlarge", 8, 65_536, 6_250, 4, 15),
    ("r6in.4xlarge", 16, 131_072, 12_500, 8, 30),
    ("r6in.8xlarge", 32, 262_144, 25_000, 8, 30),
    ("r6in.12xlarge", 48, 393_216, 37_500, 8, 30),
    ("r6in.16xlarge", 64, 524_288, 50_000, 15, 50),
    ("r7a.xlarge", 4, 32_768, 1_250, 4, 15),
    ("r7a.2xlarge", 8, 65_536, 2_500, 4, 15),
    ("r7a.4xlarge", 16, 131_072, 5_000, 8, 30),
    ("r7a.8xlarge", 32, 262_144, 10_000, 8, 30),
    ("r7a.12xlarge", 48, 393_216, 15_000, 8, 30),
    ("r7a.16xlarge", 64, 524_288, 20_000, 15, 50),
    ("r7i.xlarge", 4, 32_768, 1_250, 4, 15),
    ("r7i.2xlarge", 8, 65_536, 2_500, 4, 15),
    ("r7i.4xlarge", 16, 131_072, 5_000, 8, 30),
    ("r7i.8xlarge", 32, 262_144, 10_000, 8, 30),
    ("r7i.12xlarge", 48, 393_216, 15_000, 8, 30),
    ("r7i.16xlarge", 64, 524_288, 20_000, 15, 50),
    ("r8i.xlarge", 4, 32_768, 1_250, 4, 30),
    ("r8i.2xlarge", 8, 65_536, 2_500, 4, 30),
    ("r8i.4xlarge", 16, 131_072, 5_000, 8, 50),
    ("r8i.8xlarge", 32, 262_144, 10_000, 10, 50),
    ("r8i.12xlarge", 48, 393_216, 15_000, 12, 50),
    ("r8i.16xlarge", 64, 524_288, 20_000, 16, 64),
    ("c6i.xlarge", 4, 8_192, 1_250, 4, 15),
    ("c6i.2xlarge", 8, 16_384, 2_500, 4, 15),
    ("c6i.4xlarge", 16, 32_768, 5_000, 8, 30),
    ("c6i.8xlarge", 32, 65_536, 10_000, 8, 30),
    ("c6i.12xlarge", 48, 98_304, 15_000, 8, 30),
    ("c6i.16xlarge", 64, 131_072, 20_000, 15, 50),
    ("c7i.xlarge", 4, 8_192, 1_250, 4, 15),
    ("c7i.2xlarge", 8, 16_384, 2_500, 4, 15),
    ("c7i.4xlarge", 16, 32_768, 5_000, 8, 30),
    ("c7i.8xlarge", 32, 65_536, 10_000, 8, 30),
    ("c7i.12xlarge", 48, 98_304, 15_000, 8, 30),
    ("c7i.16xlarge", 64, 131_072, 20_000, 15, 50),
];
