//! The ports of one control plane, chosen once and kept, since clients have them in their configuration.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::files::write_private;

/// Where they are kept.
const FILE_NAME: &str = "ports.json";
/// How long processes of a sandbox that was killed may take to let go of theirs.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// TCP ports on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ports {
    /// The API server's.
    pub(super) api: u16,
    /// etcd's, for the API server.
    pub(super) etcd: u16,
    /// etcd's, for other members, of which there are none.
    pub(super) etcd_peers: u16,
}

impl Ports {
    /// The kept ones of a folder once they are free; new ones if there are none, or somebody else has them.
    pub(super) async fn free(folder: &Path) -> std::io::Result<Self> {
        let kept = fs_err::read(folder.join(FILE_NAME)).ok();
        if let Some(kept) = kept.and_then(|text| serde_json::from_slice::<Self>(&text).ok()) {
            let begun = Instant::now();
            while begun.elapsed() < PATIENCE {
                if kept.are_free() {
                    return Ok(kept);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        Self::choose(folder)
    }

    fn choose(folder: &Path) -> std::io::Result<Self> {
        // All at once, so that they differ.
        let listeners = [listen(0)?, listen(0)?, listen(0)?];
        let [api, etcd, etcd_peers] = listeners.each_ref().map(TcpListener::local_addr);
        let ports = Self { api: api?.port(), etcd: etcd?.port(), etcd_peers: etcd_peers?.port() };
        write_private(&folder.join(FILE_NAME), &serde_json::to_vec(&ports)?)?;
        Ok(ports)
    }

    fn are_free(self) -> bool {
        [self.api, self.etcd, self.etcd_peers].into_iter().all(|port| listen(port).is_ok())
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn ports_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ports::free(folder.path()).await.unwrap();
        assert_eq!(Ports::free(folder.path()).await.unwrap(), first);
    }
}
