//! Progress: what is shown while an operation runs.
//!
//! The engine's events go over a channel to one thread, which owns the terminal until the display is
//! paused or finished: listening is quick, and drawing never holds the engine up.

mod echo;
mod frame;
mod lines;
mod live;
mod model;
mod remaining;
mod words;

pub(crate) use echo::restore as restore_terminal;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::{Event, Listener};
use lsinfra_engine::plan::Plan;

use crate::printer::Printer;
use crate::render::Pace;
use lines::Lines;
use live::Live;

/// How often a live display is drawn anew when nothing happens.
const FRAME: Duration = Duration::from_millis(100);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For people, on stderr: drawn in place on a terminal, as plain lines elsewhere.
    People,
    /// Each event as a line of JSON on stdout.
    JsonLines,
}

/// The running display.
pub(crate) struct Display {
    sender: Sender<Message>,
    thread: Option<std::thread::JoinHandle<()>>,
}

enum Message {
    Event(Box<Event>),
    Plan(Arc<Plan>),
    /// Show everything so far, clear what is drawn in place, and answer.
    Pause(SyncSender<()>),
    Finish,
}

impl Display {
    /// Starts the thread. `clock` is the operation's.
    pub(crate) fn start(mode: Mode, printer: Printer, clock: Clock, pace: Pace) -> Self {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || match mode {
            Mode::JsonLines => write_json_lines(&receiver, printer),
            Mode::People if printer.is_live() => draw(&receiver, Live::new(printer, clock, pace)),
            Mode::People => write_lines(&receiver, Lines::new(printer, pace)),
        });
        Self { sender, thread: Some(thread) }
    }

    /// Takes the engine's events.
    pub(crate) fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(Forward(self.sender.clone()))
    }

    /// Tells what is going to happen, for the expected remaining time.
    pub(crate) fn plan(&self, plan: Arc<Plan>) {
        self.send(Message::Plan(plan));
    }

    /// Returns when everything so far is shown and the terminal is free for other text. The next
    /// event goes on.
    pub(crate) fn pause(&self) {
        let (answer, answered) = sync_channel(1);
        self.send(Message::Pause(answer));
        // An error means that the thread is gone, and with it what it had drawn.
        let _ = answered.recv();
    }

    /// Shows the rest and ends the thread.
    pub(crate) fn finish(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.send(Message::Finish);
        if let Some(thread) = self.thread.take() {
            // A panic of the display has been reported by the panic hook; the operation goes on.
            let _ = thread.join();
        }
    }

    fn send(&self, message: Message) {
        // The thread ends only with the display: a failure means that it has nothing more to show.
        let _ = self.sender.send(message);
    }
}

/// However the command ends, what is drawn in place is cleared before an error is written.
impl Drop for Display {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop();
        }
    }
}

struct Forward(Sender<Message>);

impl Listener for Forward {
    fn event(&self, event: &Event) {
        let _ = self.0.send(Message::Event(Box::new(event.clone())));
    }
}

fn draw(messages: &Receiver<Message>, mut live: Live) {
    loop {
        match messages.recv_timeout(FRAME) {
            Ok(Message::Event(event)) => live.event(&event),
            Ok(Message::Plan(plan)) => live.plan(&plan),
            Ok(Message::Pause(answer)) => {
                live.clear();
                let _ = answer.send(());
            }
            Err(RecvTimeoutError::Timeout) => live.draw(),
            Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => return live.clear(),
        }
    }
}

fn write_lines(messages: &Receiver<Message>, mut lines: Lines) {
    for message in messages {
        match message {
            Message::Event(event) => lines.event(&event),
            Message::Plan(_) => {}
            Message::Pause(answer) => {
                let _ = answer.send(());
            }
            Message::Finish => return,
        }
    }
}

fn write_json_lines(messages: &Receiver<Message>, printer: Printer) {
    for message in messages {
        match message {
            Message::Event(event) => printer.json_line(&event),
            Message::Plan(_) => {}
            Message::Pause(answer) => {
                let _ = answer.send(());
            }
            Message::Finish => return,
        }
    }
}
