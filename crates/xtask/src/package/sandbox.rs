//! A root file system run as a container engine runs it, as far as this machine lets one: mounts of
//! its own, the root read-only, a volume, a user by number who can gain no privileges.

use std::path::PathBuf;
use std::process::Command;

use super::product::empty;
use super::tool::{must, said};

/// Binds the root and the volume, lets the process see `/proc` and the devices that every engine gives
/// (runtime-spec, default devices), and becomes the program. Its words: the
/// root, the volume, the user, then the program and its own.
const SCRIPT: &str = "set -e
root=$1 volume=$2 user=$3
shift 3
mount --bind \"$root\" \"$root\"
mkdir -p \"$root/proc\" \"$root/dev\"
mount -t tmpfs tmpfs \"$root/dev\"
for device in null zero full random urandom; do
  : > \"$root/dev/$device\"
  mount --bind \"/dev/$device\" \"$root/dev/$device\"
done
mount --bind \"$volume\" \"$root/data\"
mount -t proc proc \"$root/proc\"
mount -o remount,ro,bind \"$root\"
exec setpriv --no-new-privs chroot --groups= --userspec=\"$user:$user\" \"$root\" \"$@\"";

/// A root file system that can be run.
pub struct Sandbox {
    root: PathBuf,
    volume: PathBuf,
    user: u64,
}

impl Sandbox {
    /// With an empty volume at `volume`, which is mounted at `/data` and the user's.
    ///
    /// # Errors
    /// Why nothing can be run so here: it takes root, and the programs `unshare` and `setpriv`.
    pub fn new(root: PathBuf, volume: PathBuf, user: u64) -> Result<Sandbox, String> {
        let may =
            said(Command::new("unshare").args(["--mount", "setpriv", "--no-new-privs", "true"]))?;
        if !may.is_some_and(|said| said.is_success) {
            return Err("mounts of its own take root, `unshare` and `setpriv`".to_owned());
        }
        empty(&volume)?;
        must(Command::new("chown").arg(format!("{user}:{user}")).arg(&volume))?;
        Ok(Sandbox { root, volume, user })
    }

    /// A command within; the program and its words are to be added. It sees these variables, and a
    /// PATH that means nothing there.
    pub fn command(&self, env: &[(String, String)]) -> Command {
        let mut command = Command::new("unshare");
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).envs(env.iter().map(|(name, value)| (name, value)));
        command.args(["--mount", "sh", "-c", SCRIPT, "sh"]);
        command.arg(&self.root).arg(&self.volume).arg(self.user.to_string());
        command
    }
}
