use std::sync::atomic::AtomicBool;

use super::*;

/// For a thread that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Standard error as it may be.
#[derive(Clone, Default)]
struct Out {
    text: Arc<Mutex<Vec<u8>>>,
    fails: Arc<AtomicBool>,
    /// While it is held nothing is taken.
    gate: Arc<Mutex<()>>,
}

impl Out {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Relaxed);
    }
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.gate.lock().unwrap());
        if self.fails.load(Relaxed) {
            return Err(io::Error::other("the disk is full"));
        }
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn soon(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn while_it_cannot_be_written_lines_are_lost_and_counted_and_then_it_says_so() {
    let out = Out::default();
    let log = Log::to(out.clone());
    log.push("one".to_owned());
    log.flush(PATIENCE);
    assert_eq!(log.failing(), None);
    out.fail(true);
    log.push("two".to_owned());
    log.push("three".to_owned());
    log.flush(PATIENCE);
    assert_eq!(log.failing().as_deref(), Some("the disk is full"));
    assert_eq!(log.state.lost.load(Relaxed), 2);
    out.fail(false);
    soon("recovers by itself", || log.failing().is_none());
    log.push("four".to_owned());
    log.flush(PATIENCE);
    let told = "one\n2 lines of this log were lost so far: the disk is full\nfour\n";
    assert_eq!(out.text(), told);
}

#[test]
fn whoever_does_not_read_holds_nobody_up() {
    let out = Out::default();
    let log = Log::to(out.clone());
    let gate = out.gate.lock().unwrap();
    // One is being written, or waits for that.
    for n in 0..=LINES_MAX + 1 {
        log.push(n.to_string());
    }
    assert!((1..=2).contains(&log.state.lost.load(Relaxed)), "those above the limit are lost");
    soon("is told", || log.failing().is_some());
    drop(gate);
    log.flush(PATIENCE);
    soon("is taken again", || log.failing().is_none());
    assert!(out.text().contains("lines of this log were lost so far"));
}

#[test]
fn as_many_lines_as_may_wait_do() {
    let out = Out::default();
    let log = Log::to(out.clone());
    let gate = out.gate.lock().unwrap();
    for n in 0..LINES_MAX {
        log.push(n.to_string());
    }
    assert_eq!(log.state.lost.load(Relaxed), 0);
    drop(gate);
    log.flush(PATIENCE);
    assert_eq!(out.text().lines().count(), LINES_MAX);
}

#[test]
fn the_end_of_its_thread_is_told() {
    struct Panics;
    impl io::Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("on purpose")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::to(Panics);
    log.push("one".to_owned());
    soon("is told", || log.failing().is_some_and(|why| why.contains("ended")));
}

#[test]
fn an_event_is_one_line_of_bounded_length_without_what_is_hidden_or_secret() {
    assert_eq!(shown("a\u{1b}[2J\nb\u{202e}\u{9b}\n"), "a\\u{1b}[2J\\nb\\u{202e}\\u{9b}");
    assert_eq!(shown("at postgres://u:pw@h\n"), "at postgres://***@h");
    for more in [-1_i64, 0, 1] {
        let size = LINE_SIZE_MAX.saturating_add_signed(isize::try_from(more).unwrap());
        let line = shown(&"x".repeat(size));
        let expected = if more > 0 { LINE_SIZE_MAX + " …".len() } else { size };
        assert_eq!(line.len(), expected, "{more}");
    }
}

#[test]
fn a_line_that_was_written_in_part_is_ended_first() {
    struct Half(Out);
    impl io::Write for Half {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.fails.swap(false, Relaxed) {
                let half = bytes.len() / 2;
                self.0.fail(true);
                if self.0.text().ends_with("ha") {
                    return self.0.write(bytes);
                }
                self.0.text.lock().unwrap().extend_from_slice(&bytes[..half]);
                return Ok(half);
            }
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let out = Out::default();
    let log = Log::to(Half(out.clone()));
    out.fail(true);
    log.push("half".to_owned());
    soon("is told", || log.failing().is_some());
    out.fail(false);
    soon("recovers", || log.failing().is_none());
    assert_eq!(out.text(), "ha\n1 lines of this log were lost so far: the disk is full\n");
}
