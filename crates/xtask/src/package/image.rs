//! The container image: the steps of the Dockerfile's last stage played without Docker, packed as an
//! OCI image layout (github.com/opencontainers/image-spec), unpacked again and run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::archive::{Entry, gzip, tar, with_folders};
use super::binary;
use super::dockerfile::{Step, last_stage};
use super::json::{put, text};
use super::product::{Package, empty};
use super::report::{Checked, Report};
use super::sandbox::Sandbox;
use super::server::Server;
use super::tool::must;
use crate::folders::root;

/// Bytes of the unpacked root file system, at most.
const ROOT_SIZE_MAX: u64 = 30 * 1024 * 1024;

/// What the steps come to.
#[derive(Debug, Default)]
struct Image {
    entries: Vec<Entry>,
    env: Vec<(String, String)>,
    user: Option<u64>,
    volumes: Vec<String>,
    ports: Vec<u16>,
    entrypoint: Vec<String>,
    command: Vec<String>,
}

/// Makes and checks the image.
///
/// # Errors
/// When the Dockerfile is not understood, or the image cannot be written.
pub fn make(package: &Package, report: &mut Report) -> Result<(), String> {
    let path = root().join("Dockerfile");
    let text = fs::read_to_string(&path).map_err(|error| format!("Dockerfile: {error}"))?;
    let steps = last_stage(&text).map_err(|why| format!("Dockerfile: {why}"))?;
    let binary = fs::read(package.binary()).map_err(|error| error.to_string())?;
    let image = played(steps, &binary)?;
    let name = format!("palisade-{}-{}-oci.tar", package.version, package.architecture);
    package.write(&name, &layout(package, &image)?)?;

    let unpacked = package.scratch.join("image");
    unpack(package, &name, &unpacked)?;
    report.check("image is small", size(&image));
    report.check("image is nobody's and empty otherwise", contents(&image));
    run(package, report, &image, unpacked)
}

/// The image that the steps make, where the earlier stage left the program and an empty folder.
fn played(steps: Vec<Step>, binary: &[u8]) -> Result<Image, String> {
    let mut image = Image::default();
    for step in steps {
        match step {
            Step::Copy { from, to, owner, mode } => {
                let path = to.trim_matches('/').to_owned();
                let (content, usual) = match from.trim_end_matches('/') {
                    "/out/palisade" => (Some(binary.to_vec()), 0o755),
                    "/out/data" => (None, 0o755),
                    other => return Err(format!("Dockerfile: nothing is known of `{other}`")),
                };
                image.entries.push(Entry { path, mode: mode.unwrap_or(usual), owner, content });
            }
            Step::Env(name, value) => image.env.push((name, value)),
            Step::User(user) => image.user = Some(user),
            Step::Volume(path) => image.volumes.push(path),
            Step::Expose(port) => image.ports.push(port),
            Step::Entrypoint(words) => image.entrypoint = words,
            Step::Cmd(words) => image.command = words,
        }
    }
    image.entries = with_folders(std::mem::take(&mut image.entries));
    Ok(image)
}

/// An archive in the OCI image layout, with one layer.
fn layout(package: &Package, image: &Image) -> Result<Vec<u8>, String> {
    let layer = tar(&image.entries, package.moment)?;
    let packed = gzip(&layer)?;
    let architecture = match package.architecture.as_str() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let user = image.user.map(|user| format!("{user}:{user}")).unwrap_or_default();
    let env: Vec<String> =
        image.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let ports: Value = image.ports.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect();
    let volumes: Value = image.volumes.iter().map(|path| (path.clone(), json!({}))).collect();
    let configuration = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": user, "Env": env, "ExposedPorts": ports, "Volumes": volumes,
            "Entrypoint": image.entrypoint, "Cmd": image.command,
            "Labels": {
                "org.opencontainers.image.title": "palisade",
                "org.opencontainers.image.version": package.version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
    })
    .to_string();
    let kind = |name: &str| format!("application/vnd.oci.image.{name}");
    let described = |media: String, bytes: &[u8]| json!({"mediaType": media, "digest": digest(bytes), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": kind("manifest.v1+json"),
        "config": described(kind("config.v1+json"), configuration.as_bytes()),
        "layers": [described(kind("layer.v1.tar+gzip"), &packed)],
    })
    .to_string();
    let mut found = described(kind("manifest.v1+json"), manifest.as_bytes());
    let names = json!({
        "org.opencontainers.image.ref.name": package.version,
        "io.containerd.image.name": format!("palisade:{}", package.version),
    });
    put(&mut found, "annotations", names);
    let index =
        json!({"schemaVersion": 2, "mediaType": kind("index.v1+json"), "manifests": [found]});
    let blob = |bytes: Vec<u8>| {
        let name = digest(&bytes).replace(':', "/");
        Entry::file(format!("blobs/{name}"), 0o644, bytes)
    };
    let entries = with_folders(vec![
        Entry::file("oci-layout", 0o644, "{\"imageLayoutVersion\":\"1.0.0\"}"),
        Entry::file("index.json", 0o644, index.to_string()),
        blob(manifest.into_bytes()),
        blob(configuration.into_bytes()),
        blob(packed),
    ]);
    tar(&entries, package.moment)
}

/// `sha256:…` of bytes.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Unpacks the layer as whoever runs the image does: index, manifest, layer, each by its digest.
fn unpack(package: &Package, name: &str, to: &Path) -> Result<(), String> {
    let image = package.scratch.join("oci");
    for folder in [image.as_path(), to] {
        empty(folder)?;
    }
    must(Command::new("tar").arg("-xf").arg(package.folder.join(name)).arg("-C").arg(&image))?;
    let blob = |of: &Value, pointer: &str| -> Result<PathBuf, String> {
        let told = text(of, pointer);
        let path = image.join("blobs").join(told.replace(':', "/"));
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        match digest(&bytes) == told {
            true => Ok(path),
            false => Err(format!("{} is not what its name says", path.display())),
        }
    };
    let read = |path: PathBuf| -> Result<Value, String> {
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    };
    let index = read(image.join("index.json"))?;
    let manifest = read(blob(&index, "/manifests/0/digest")?)?;
    blob(&manifest, "/config/digest")?;
    let layer = blob(&manifest, "/layers/0/digest")?;
    must(Command::new("tar").arg("-xpzf").arg(layer).arg("--numeric-owner").arg("-C").arg(to))?;
    Ok(())
}

fn size(image: &Image) -> Result<Checked, String> {
    let bytes: usize =
        image.entries.iter().filter_map(|entry| entry.content.as_ref()).map(Vec::len).sum();
    match bytes as u64 <= ROOT_SIZE_MAX {
        true => Ok(Checked::Seen(format!(
            "{} KiB of {} KiB",
            bytes.div_ceil(1024),
            ROOT_SIZE_MAX / 1024
        ))),
        false => Err(format!("{bytes} bytes, more than {ROOT_SIZE_MAX}")),
    }
}

/// The program, the volume, nothing else; the process is not root.
fn contents(image: &Image) -> Result<Checked, String> {
    let paths: Vec<&str> = image.entries.iter().map(|entry| entry.path.as_str()).collect();
    match (&paths[..], image.user) {
        (["palisade", "data"], Some(user)) if user != 0 => {
            Ok(Checked::Seen(format!("/palisade and /data, run by {user}")))
        }
        (paths, user) => Err(format!("it holds {paths:?} and is run by {user:?}")),
    }
}

/// Runs the unpacked image: a root file system that is read-only, its user, its variables, its volume.
fn run(
    package: &Package,
    report: &mut Report,
    image: &Image,
    unpacked: PathBuf,
) -> Result<(), String> {
    let sandbox =
        match Sandbox::new(unpacked, package.scratch.join("volume"), image.user.unwrap_or(0)) {
            Ok(sandbox) => sandbox,
            Err(why) => {
                report.check("image runs", Ok(Checked::Skipped(why)));
                return Ok(());
            }
        };
    let inside = |words: &[String]| {
        let mut command = sandbox.command(&image.env);
        command.args(&image.entrypoint).args(words);
        command
    };
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    report.check("image starts", binary::version(&mut inside(&[]), &package.version));
    let mut elsewhere = inside(&own(&["serve", "--store", "sqlite:/elsewhere.db"]));
    elsewhere.env("PALISADE_LISTEN", "127.0.0.1:0");
    report.check("image's root is read-only", refuses(&mut elsewhere, "elsewhere.db"));
    let unsafe_address = refuses(&mut inside(&image.command), "--behind-proxy");
    report.check("image serves nobody without TLS or a proxy", unsafe_address);
    let server = match Server::start(inside(&image.command).env("PALISADE_BEHIND_PROXY", "true")) {
        Ok(server) => server,
        Err(why) => {
            report.check("image serves", Err(why));
            return Ok(());
        }
    };
    let port = server.port;
    report.check("image serves", Ok(Checked::Seen("/readyz answers 200".to_owned())));
    // As compose.yaml says it.
    let key = must(&mut inside(&own(&["keys", "create", "--operator"])));
    report.check("image makes keys", key.map(|_| Checked::Seen("in its volume".to_owned())));
    // As the compose files ask it.
    let endpoint = format!("http://127.0.0.1:{port}");
    let doctor =
        must(&mut inside(&own(&["doctor", "--store", "sqlite:/none", "--endpoint", &endpoint])));
    report.check(
        "image's health check",
        doctor.map(|_| Checked::Seen("the doctor finds it well".to_owned())),
    );
    Ok(())
}

/// A command ends with a failure whose message names this.
fn refuses(command: &mut Command, named: &str) -> Result<Checked, String> {
    let output = command.output().map_err(|error| format!("it did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(code) if code != 0 && said.contains(named) => Ok(Checked::Seen(format!(
            "it ends with {code}: {}",
            said.trim().lines().last().unwrap_or_default()
        ))),
        _ => Err(format!("it ended with {} and said: {said}", output.status)),
    }
}
