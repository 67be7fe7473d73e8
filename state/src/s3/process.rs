//! Telling that a process on this machine is dead, without ever taking a living one for it.

use lsinfra_engine::store::HolderProcess;
use serde::{Deserialize, Serialize};

/// A process, so that others on the same system recognise it and nobody else does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    /// The boot of the system and the process namespace: the same number elsewhere is another process.
    space: String,
    /// Its number.
    id: u32,
    /// When it was started, in ticks after the boot: numbers are given out again.
    started_ticks: u64,
}

impl Process {
    /// This process; `None` where the system does not tell (it is Linux that does, in `/proc`).
    pub(crate) fn present() -> Option<Self> {
        let id = std::process::id();
        Some(Self { space: space()?, id, started_ticks: started_ticks(id)? })
    }

    /// What can be told of it from here.
    pub(crate) fn state(&self) -> HolderProcess {
        match (space(), started_ticks(self.id)) {
            (Some(space), ticks) if space == self.space => match ticks == Some(self.started_ticks) {
                true => HolderProcess::Alive,
                false => HolderProcess::Dead,
            },
            _ => HolderProcess::Unknown,
        }
    }
}

fn space() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// Field 22 of `/proc/PID/stat`; the second one, in parentheses, may hold anything.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn started_ticks(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // A zombie has ended; only its parent has not looked.
    (fields.next()? != "Z").then(|| fields.nth(18)?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_process_of_this_system_that_ended_is_dead() {
        let present = Process::present().unwrap();
        assert_eq!(present.state(), HolderProcess::Alive);
        let ended = Process { started_ticks: present.started_ticks + 1, ..present.clone() };
        assert_eq!(ended.state(), HolderProcess::Dead);
        let elsewhere = Process { space: "another".to_owned(), started_ticks: 0, ..present };
        assert_eq!(elsewhere.state(), HolderProcess::Unknown);
    }

    #[test]
    fn a_child_is_dead_once_it_ended() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let id = child.id();
        let process = Process { space: space().unwrap(), id, started_ticks: started_ticks(id).unwrap() };
        assert_eq!(process.state(), HolderProcess::Alive);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(process.state(), HolderProcess::Dead);
    }
}
