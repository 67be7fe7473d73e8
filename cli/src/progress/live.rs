//! The live display on a terminal: finished steps scroll up, running ones are drawn below them.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lsinfra_engine::clock::Clock;
use lsinfra_engine::events::Event;
use lsinfra_engine::plan::Plan;

use crate::printer::{Printer, terminal_rows};
use crate::progress::echo::QuietControls;
use crate::progress::frame::{View, frame};
use crate::progress::model::Model;
use crate::progress::words::words;
use crate::render::Pace;

/// Bursts of events are drawn together.
const SHORTEST_PAUSE: Duration = Duration::from_millis(60);

/// Draws frames in place. Each line of a frame is one of indicatif's bars that shows a text only:
/// it knows how to draw several lines in place without flicker.
pub(crate) struct Live {
    printer: Printer,
    clock: Clock,
    pace: Pace,
    model: Model,
    bars: MultiProgress,
    lines: Vec<ProgressBar>,
    tick: usize,
    drawn_at: Option<Instant>,
    _quiet: QuietControls,
}

impl Live {
    /// Nothing is drawn yet.
    pub(crate) fn new(printer: Printer, clock: Clock, pace: Pace) -> Self {
        Self {
            printer,
            clock,
            pace,
            model: Model::default(),
            bars: MultiProgress::new(),
            lines: Vec::new(),
            tick: 0,
            drawn_at: None,
            _quiet: QuietControls::new(),
        }
    }

    /// Takes the plan in.
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.model.plan(plan);
    }

    /// Takes an event in.
    pub(crate) fn event(&mut self, event: &Event) {
        let physical_id = self.model.event(event);
        let canvas = self.printer.notes_canvas();
        if let Some(line) = words(&event.kind, physical_id.as_ref(), self.pace, canvas) {
            // A terminal that cannot be written to has nobody to miss the line.
            let _ = self.bars.println(line);
        }
        if self.drawn_at.is_none_or(|at| at.elapsed() >= SHORTEST_PAUSE) {
            self.draw();
        }
    }

    /// Draws the present frame.
    pub(crate) fn draw(&mut self) {
        self.drawn_at = Some(Instant::now());
        self.tick += 1;
        let rows = terminal_rows().saturating_sub(4).clamp(3, 20);
        let view = View { now: self.clock.now(), pace: self.pace, tick: self.tick, rows };
        let frame = frame(&self.model, view, self.printer.notes_canvas());
        while self.lines.len() > frame.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.bars.remove(&line);
            }
        }
        while self.lines.len() < frame.len() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            self.lines.push(self.bars.add(bar));
        }
        for (bar, line) in self.lines.iter().zip(frame) {
            bar.set_message(line);
        }
    }

    /// Clears what is drawn in place, so that the terminal is free for other text.
    pub(crate) fn clear(&mut self) {
        for line in self.lines.drain(..) {
            line.finish_and_clear();
            self.bars.remove(&line);
        }
        let _ = self.bars.clear();
    }
}
