//! `cargo xtask bench`.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails by panicking"
)]
mod fleet;
mod floor;
mod items;
mod prng;

/// Reads a file, plain or compressed, into a buffer that is used again.
fn load(path: &std::path::Path, text: &mut Vec<u8>) {
    use std::io::Read as _;
    text.clear();
    let mut file = std::fs::File::open(path).expect("a snapshot");
    if path.extension().is_some_and(|suffix| suffix == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_end(text).expect("gzip");
    } else {
        file.read_to_end(text).expect("a readable file");
    }
}

fn duel(files: &[std::path::PathBuf]) {
    let wanted: std::collections::BTreeSet<_> = [
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::PrefixList",
        "AWS::WAFv2::WebACL",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::Config::ConfigurationRecorder",
    ]
    .iter()
    .map(|t| palisade_core::ident::ResourceType::try_from(*t).unwrap())
    .collect();
    let wanted = std::sync::Arc::new(wanted);
    let mut text = Vec::new();
    let (mut floors, mut cores) = (0.0, 0.0);
    for path in files {
        load(path, &mut text);
        let name = path.file_name().unwrap().to_string_lossy();
        let (mut floor, mut core) = (f64::MAX, f64::MAX);
        for _ in 0..9 {
            let started = std::time::Instant::now();
            std::hint::black_box(floor::answer_text(&text));
            floor = floor.min(started.elapsed().as_secs_f64());
            let started = std::time::Instant::now();
            let mut reader = palisade_core::inventory::DeliveryReader::reading_only(
                &name,
                std::sync::Arc::clone(&wanted),
            );
            for chunk in text.chunks(262_144) {
                reader.push(chunk).unwrap();
            }
            std::hint::black_box(reader.finish().unwrap().observations.len());
            core = core.min(started.elapsed().as_secs_f64());
        }
        floors += floor;
        cores += core;
    }
    let n = files.len() as f64 * 500.0;
    println!("floor {:.0}/s core {:.0}/s ratio {:.3}", n / floors, n / cores, floors / cores);
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next().expect("mode");
    let folder = args.next().expect("folder");
    let items: u64 = args.next().expect("items").parse().expect("number");
    let gz = args.next().is_some();
    let fleet = fleet::write(std::path::Path::new(&folder), items, gz).expect("written");
    println!("{} items {} bytes {} files", fleet.items, fleet.bytes, fleet.files.len());
    let started = std::time::Instant::now();
    match mode.as_str() {
        "floor" => assert_eq!(floor::answer(fleet.files.iter().map(|p| p.as_path())), fleet.truth),
        "duel" => duel(&fleet.files),
        _ => {}
    }
    println!("{mode} {:?}", started.elapsed());
}
