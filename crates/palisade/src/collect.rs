//! `palisade collect`: reads accounts through AWS's APIs into files that `check` and `ingest` take.

use std::path::Path;

use palisade_aws::ExternalId;
use palisade_sources::settings::{Lookup, is_role_name};
use palisade_sources::{Collection, read_organization};
use tokio::sync::mpsc;

use crate::args::Collect;
use crate::aws::Aws;
use crate::failure::{Exit, Failure, Outcome};
use crate::reading::Asked;
use crate::terminal::{print_line, say, warn};
use crate::{progress, report, serve};

/// Failures that are told one by one.
const FAILURES_SHOWN_MAX: usize = 20;

/// The folder of the files, in the one that was asked for.
const INVENTORY: &str = "inventory";

/// Runs the command.
pub fn run(args: &Collect) -> Outcome {
    serve::runtime()?.block_on(collect(args))
}

async fn collect(args: &Collect) -> Outcome {
    let aws = Aws::of_environment()?;
    let external_id = args.external_id.as_deref().map(external_id).transpose()?;
    if let Some(role) = args.role.as_deref().filter(|role| !is_role_name(role)) {
        return Err(Failure::Usage(format!(
            "--role: `{role}` is no name of a role, such as `PalisadeReadOnly`"
        )));
    }
    // Apart from the organization, so that the folder holds nothing but deliveries.
    let inventory = args.out.join(INVENTORY);
    std::fs::create_dir_all(&inventory).map_err(|error| unwritten(&inventory, &error))?;
    let own = aws.account().await?;
    let accounts = match (args.accounts.as_slice(), &args.role) {
        ([], Some(_)) => organization(args, &aws, external_id.as_ref()).await?,
        ([], None) => vec![own.clone()],
        (named, _) => named.iter().map(ToString::to_string).collect(),
    };
    let asked = Asked {
        aws,
        own: Some(own),
        role: args.role.clone(),
        external_id,
        regions: Some(args.regions.clone()).filter(|regions| !regions.is_empty()),
        at_once: usize::from(args.at_once),
    };
    let (to, from) = mpsc::channel(1);
    let bar = progress::bar(accounts.len() as u64, "accounts");
    let (read, written) = tokio::join!(asked.each(&accounts, to), write(&inventory, from, &bar));
    bar.finish_and_clear();
    read?;
    tell(&written?)
}

/// What was written.
#[derive(Default)]
struct Written {
    files: u64,
    items: u64,
    complete: u64,
    failed: u64,
    /// The first ones, each once.
    failures: Vec<String>,
    more: u64,
}

impl Written {
    fn add(&mut self, collection: &Collection) {
        self.files += 1;
        self.items += collection.items.len() as u64;
        self.complete += collection.complete.len() as u64;
        for failed in &collection.failed {
            self.failed += 1;
            let why = failed.error.to_string();
            match self.failures.len() {
                _ if self.failures.contains(&why) => {}
                FAILURES_SHOWN_MAX.. => self.more += 1,
                _ => self.failures.push(why),
            }
        }
    }
}

async fn write(
    out: &Path,
    mut from: mpsc::Receiver<Collection>,
    bar: &indicatif::ProgressBar,
) -> Result<Written, Failure> {
    let mut written = Written::default();
    let mut account = String::new();
    while let Some(collection) = from.recv().await {
        let folder = out.join(&collection.account);
        std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
        put(&folder.join(collection.file_name()), &collection.text())?;
        written.add(&collection);
        if account != collection.account {
            account.clone_from(&collection.account);
            bar.inc(1);
        }
    }
    Ok(written)
}

fn tell(written: &Written) -> Outcome {
    written.failures.iter().for_each(warn);
    if written.more > 0 {
        warn(format_args!("and {}", report::counted(written.more, "more failure")));
    }
    let gaps = match written.failed {
        0 => "nothing missing".to_owned(),
        some => format!("{} could not be", report::counted(some, "type")),
    };
    print_line(&format!(
        "{}: {} of {} listed to the last page, {gaps}",
        report::counted(written.files, "file"),
        report::counted(written.items, "resource"),
        report::counted(written.complete, "type"),
    ))?;
    match (written.complete, written.failed) {
        (_, 0) => Ok(Exit::Done),
        (0, _) => Err(Failure::Unwell("nothing could be listed".to_owned())),
        _ => Ok(Exit::Undecided),
    }
}

/// Writes the organization, and answers the accounts of it that are judged.
async fn organization(
    args: &Collect,
    aws: &Aws,
    external_id: Option<&ExternalId>,
) -> Result<Vec<String>, Failure> {
    let role = args.organization_role.as_deref();
    let target = aws.organization(role, external_id.filter(|_| role.is_some()))?;
    let read = read_organization(&aws.client, &target).await;
    let (organization, file) = read.map_err(|error| {
        Failure::Refused(format!(
            "the organization could not be read, and without it nobody knows which accounts there are: {error}; \
             name them with --account, or who may read it with --organization-role"
        ))
    })?;
    let text =
        serde_json::to_vec_pretty(&file).map_err(|error| Failure::Refused(error.to_string()))?;
    put(&args.out.join("organization.json"), &text)?;
    let (judged, all) = (organization.judged_accounts().count(), organization.accounts.len());
    if judged < all {
        say(format_args!("{judged} of {all} accounts are active and are read"));
    }
    Ok(organization.judged_accounts().map(ToString::to_string).collect())
}

/// An ExternalId, or where it is kept.
///
/// # Errors
/// It is not there.
pub fn external_id(text: &str) -> Result<ExternalId, Failure> {
    let lookup = Lookup {
        variable: &|name| std::env::var(name).ok(),
        file: &|path| std::fs::read_to_string(path),
    };
    let id = lookup.resolve(text);
    let id = id.map_err(|why| Failure::Usage(format!("--external-id: {why}")))?;
    Ok(ExternalId(id.into()))
}

/// Writes a file whole or not at all.
fn put(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        std::io::Write::write_all(&mut file, text)?;
        file.persist(path).map_err(std::io::Error::from).map(drop)
    });
    written.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Unwritten(format!("`{}` cannot be written: {error}", path.display()))
}
