//! Sandboxes as processes: started in the background by racing starters, killed, and found again. This is its own
//! program so that it can be the sandbox too: `process serve FOLDER`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use lsinfra_sandbox::{Endpoint, Error, Options, connect, serve, start_in_background, stop};
use support::{create_vpc, vpcs};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [word, folder] if word == "serve" => match serve(Options::new(folder)) {
            Ok(serving) => serving.wait(),
            Err(Error::InUse { .. }) => {}
            Err(error) => panic!("{error}"),
        },
        _ => {
            let tests: [(&str, fn()); 4] = [
                ("racing_starters_share_one_process", racing_starters_share_one_process),
                ("an_ending_process_is_waited_for", an_ending_process_is_waited_for),
                ("a_killed_process_has_lost_nothing", a_killed_process_has_lost_nothing),
                ("a_program_that_does_not_serve_is_reported", a_program_that_does_not_serve_is_reported),
            ];
            for (name, test) in tests {
                test();
                println!("test {name} ... ok");
            }
        }
    }
}

fn start(folder: &Path) -> Endpoint {
    let program = std::env::current_exe().unwrap();
    start_in_background(&program, &[OsString::from("serve"), folder.as_os_str().to_owned()], folder).unwrap()
}

fn racing_starters_share_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let endpoints: Vec<Endpoint> = std::thread::scope(|scope| {
        let starters: Vec<_> = (0..8).map(|_| scope.spawn(|| start(folder.path()))).collect();
        starters.into_iter().map(|starter| starter.join().unwrap()).collect()
    });
    assert!(endpoints.iter().all(|endpoint| *endpoint == endpoints[0]), "{endpoints:?}");
    assert_ne!(endpoints[0].pid, std::process::id());
    assert!(stop(folder.path()).unwrap());
    assert_eq!(connect(folder.path()), None);
}

fn an_ending_process_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let lock = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
    // What a process holds that does not answer any more and has not ended yet.
    let held = lock("process.lock");
    held.lock().unwrap();
    std::thread::scope(|scope| {
        let starter = scope.spawn(|| start(folder.path()));
        while lock("start.lock").try_lock().is_ok() {
            std::thread::yield_now();
        }
        held.unlock().unwrap();
        starter.join().unwrap();
    });
    assert!(stop(folder.path()).unwrap());
}

fn a_killed_process_has_lost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path());
    for made in 1..=20 {
        create_vpc(&first.url).unwrap();
        assert_eq!(vpcs(&first.url), made);
    }
    let killed = Command::new("kill").args(["-9", &first.pid.to_string()]).status().unwrap();
    assert!(killed.success());
    while connect(folder.path()).is_some() {
        std::thread::yield_now();
    }
    let second = start(folder.path());
    assert_ne!(second.pid, first.pid);
    assert_eq!(vpcs(&second.url), 20);
    assert!(stop(folder.path()).unwrap());
}

fn a_program_that_does_not_serve_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let none: [&str; 0] = [];
    let error = start_in_background(Path::new("true"), &none, folder.path()).unwrap_err();
    assert!(matches!(error, Error::NotStarted { .. }), "{error}");
}
