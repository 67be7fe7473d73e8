//! The API group `storage.k8s.io`.

mod class_volumes;
mod default_class_mark;
mod storage_class;

pub use class_volumes::{ClassVolumes, ClassVolumesOutputs};
pub use default_class_mark::DefaultClassMark;
pub use storage_class::{ReclaimPolicy, StorageClass, VolumeBindingMode};

use crate::kubernetes::kind::Kind;

const STORAGE_CLASS: Kind = Kind::known("storage.k8s.io/v1", "StorageClass", "storageclasses", false);
/// <https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass>
const DEFAULT_MARK: &str = "storageclass.kubernetes.io/is-default-class";
