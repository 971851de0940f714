//! The password file, `~/.pgpass`: `HOST:PORT:DATABASE:USER:PASSWORD` a line, `*` for any, `\` before a
//! colon or a backslash.

use std::path::Path;

/// Lines of a password file.
pub(super) struct Passwords(Vec<Vec<String>>);

/// Reads a password file, which its owner alone may read.
///
/// # Errors
/// It cannot be read, or others can.
pub(super) fn read(file: &Path) -> Result<Passwords, String> {
    if is_open_to_others(file) {
        return Err(format!(
            "password file `{0}` can be read by others than its owner; `chmod 600 {0}` keeps it to them",
            file.display()
        ));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("password file `{}` cannot be read: {error}", file.display()))?;
    Ok(Passwords::of(&text))
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

impl Passwords {
    fn of(text: &str) -> Passwords {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Passwords(lines.map(fields).collect())
    }

    /// The password of the first line that fits.
    pub fn find(&self, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
        let port = port.to_string();
        let asked = [host, &port, database, user];
        let fits = |line: &&Vec<String>| {
            let said = line.iter().zip(asked);
            line.len() == asked.len() + 1
                && said.take(4).all(|(it, asked)| it == "*" || it == asked)
        };
        self.0.iter().find(fits)?.last().cloned()
    }
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut is_escaped) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            _ if is_escaped => {
                field.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            // What follows the fourth is the password, colons and all.
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let file = Passwords::of(
            "# a comment\nh:5432:d:u:one\nh:*:d:u:two\n*:*:*:v:a\\:b\\\\c\nshort:line\n*:*:*:w:x:y",
        );
        let table = [
            (("h", 5432, "d", "u"), Some("one")),
            (("h", 5433, "d", "u"), Some("two")),
            (("g", 5432, "d", "u"), None),
            (("any", 1, "e", "v"), Some("a:b\\c")),
            (("any", 1, "e", "w"), Some("x:y")),
        ];
        for ((host, port, database, user), expected) in table {
            let found = file.find(host, port, database, user);
            assert_eq!(found.as_deref(), expected, "{host}:{port} {database} {user}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pass");
        std::fs::write(&file, "*:*:*:*:secret").unwrap();
        for (mode, is_fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&file).is_ok(), is_fine, "{mode:o}");
        }
    }
}
