//! The API group `metrics.k8s.io`.

mod node_metrics;

pub use node_metrics::{NodeMetrics, NodeMetricsOutputs};
