//! Serves a sandbox in the foreground: `cargo run -p lsinfra-sandbox --example serve -- FOLDER [PORT [PACE]]`.
#![expect(clippy::print_stdout, reason = "the endpoint is what the example is for")]

use lsinfra_sandbox::{Options, Pace, serve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::new(arguments.next().ok_or("which folder?")?);
    if let Some(port) = arguments.next() {
        options.port = Some(port.parse()?);
    }
    if let Some(speed) = arguments.next() {
        options.pace = Pace::Realistic { speed: speed.parse()? };
    }
    let serving = serve(options)?;
    println!("{}", serving.url());
    serving.wait();
    Ok(())
}
