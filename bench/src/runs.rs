//! Runs of whole programs: what they answered, how long they took, how much memory they held.

use std::fs;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// One run of one program.
#[derive(Clone, Debug)]
pub struct Run {
    /// Standard output.
    pub output: String,
    /// CPU time of the process, user and system. Other work on the machine changes it less than
    /// time on the clock.
    pub cpu: f64,
    /// Seconds on the clock.
    pub wall: f64,
}

/// How often the memory of a running program is looked at. Its peak is kept by the kernel, so only
/// what it grows by in its last moments can be missed.
const LOOK: Duration = Duration::from_millis(5);

/// Runs a program to its end. `allowed` are the exit codes of success.
///
/// # Panics
/// When it cannot be run or ends otherwise.
pub fn run(command: &mut Command, allowed: &[i32]) -> Run {
    let before = children_seconds();
    let started = Instant::now();
    let ended = command.stderr(Stdio::inherit()).output().expect("starts");
    let wall = started.elapsed().as_secs_f64();
    assert_ended(command, ended.status, allowed);
    let output = String::from_utf8(ended.stdout).expect("UTF-8");
    Run { output, cpu: children_seconds() - before, wall }
}

/// Runs a program to its end and answers its most resident memory, bytes. Looking at it costs time,
/// so that nothing else is measured then.
///
/// # Panics
/// When it cannot be run or ends otherwise.
pub fn peak(command: &mut Command, allowed: &[i32]) -> u64 {
    let mut child = command.stdout(Stdio::null()).spawn().expect("starts");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident_peak(child.id()));
        match child.try_wait().expect("is waited for") {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    assert_ended(command, status, allowed);
    peak
}

fn assert_ended(command: &Command, status: ExitStatus, allowed: &[i32]) {
    assert!(
        status.code().is_some_and(|code| allowed.contains(&code)),
        "{:?} ended with {status}",
        command.get_program()
    );
}

/// Most memory that a process held resident, bytes; 0 when it is gone.
fn resident_peak(process: u32) -> u64 {
    kilobytes(process, "VmHWM:") * 1024
}

/// Memory that a process holds resident now, bytes; 0 when it is gone.
pub fn resident(process: u32) -> u64 {
    kilobytes(process, "VmRSS:") * 1024
}

fn kilobytes(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0)
}

/// CPU seconds of all children that ended, in the kernel's hundredths.
fn children_seconds() -> f64 {
    seconds("self", [13, 14])
}

/// CPU seconds of a running process with all of its threads, in the kernel's hundredths.
pub fn cpu_seconds(process: u32) -> f64 {
    seconds(&process.to_string(), [11, 12])
}

/// The sum of fields of `/proc/…/stat`, counted from the first after the name, which may hold
/// anything.
fn seconds(process: &str, at: [usize; 2]) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    at.map(ticks).iter().sum::<f64>() / 100.0
}

/// The number below which `percent` of a hundred lie.
pub fn percentile(numbers: &[f64], percent: usize) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// The middle one; the mean of the middle two.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    }
}
