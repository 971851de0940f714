//! `cargo xtask package [--tag vVERSION] [--only binary]`: everything that is installed, made below
//! `target/package`, and each piece checked on this machine. A check that cannot be made here is
//! named and counted as skipped.
//!
//! The same sources make the same bytes: times in archives are the commit's (or `SOURCE_DATE_EPOCH`).

mod archive;
mod binary;
mod debian;
mod dockerfile;
mod files;
mod image;
mod json;
mod licences;
mod manual;
mod product;
mod release;
mod report;
mod sandbox;
mod sbom;
mod server;
mod tool;
mod triple;
mod wheel;

use product::Package;
use report::Report;

/// Makes and checks everything, and prints what was seen.
///
/// # Errors
/// When a piece cannot be made, or a check fails; the lines above say which and why.
pub fn run(wishes: &[&str]) -> Result<(), String> {
    let (mut tag, mut only_binary) = (None, false);
    let mut rest = wishes.iter();
    while let Some(wish) = rest.next() {
        match *wish {
            "--tag" => tag = Some(*rest.next().ok_or("--tag wants a tag, as v0.1.0")?),
            "--only" if rest.next() == Some(&"binary") => only_binary = true,
            _ => {
                return Err(
                    "usage: cargo xtask package [--tag vVERSION] [--only binary]".to_owned()
                );
            }
        }
    }
    let package = Package::new()?;
    let mut report = Report::default();
    if let Some(tag) = tag {
        report.check("tag", release::fits(tag, &package.version));
    }
    binary::make(&package)?;
    if only_binary {
        return report.end();
    }
    type Piece = fn(&Package, &mut Report) -> Result<(), String>;
    let pieces: [(&str, Piece); 8] = [
        ("binary", binary::check),
        ("manual and completions", manual::make),
        ("unit and configuration", files::check),
        ("archive and Debian package", debian::make),
        ("image", image::make),
        ("wheel", wheel::make),
        ("SBOM", sbom::make),
        ("checksums", release::checksums),
    ];
    for (name, piece) in pieces {
        println!("── {name}");
        if let Err(why) = piece(&package, &mut report) {
            report.check(name, Err(why));
        }
    }
    report.end()
}
