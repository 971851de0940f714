//! `cargo xtask soak --clients [--seconds N]`: 64 clients that change everything at once, for two
//! minutes unless told otherwise; what they are told must fit one order of their calls.

use std::process::Command;

use crate::folders;

/// The test that plays them.
const TEST: &str =
    "concurrency::what_64_clients_are_told_for_minutes_fits_one_order_of_their_calls";

/// Runs the clients.
///
/// # Errors
/// A command line that cannot be read, and contradictions, which the output above it shows.
pub fn run(arguments: &[&str]) -> Result<(), String> {
    let seconds = seconds(arguments)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--quiet", "--package", "palisade-api", "--test", "api"])
        .args(["--", "--ignored", "--nocapture", "--exact", TEST])
        .env("PALISADE_SOAK_SECONDS", seconds.to_string())
        .current_dir(folders::root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the clients were told what fits no order".to_owned())
    }
}

fn seconds(arguments: &[&str]) -> Result<u64, String> {
    match arguments {
        [] => Ok(120),
        ["--seconds", text] => {
            text.parse().map_err(|_| format!("`{text}` of `--seconds` is not a number"))
        }
        _ => Err("give --seconds N or nothing after --clients".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        assert_eq!(seconds(&[]), Ok(120));
        assert_eq!(seconds(&["--seconds", "5"]), Ok(5));
        for wrong in [&["--seconds"][..], &["--seconds", "x"], &["5"]] {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
    }
}
