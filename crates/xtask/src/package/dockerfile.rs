//! The last stage of a Dockerfile, step by step: enough of its language to play ours, and an error
//! for anything else, so that nothing is left out unseen.

/// What a step of the last stage does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// A file or folder of an earlier stage comes into the image.
    Copy {
        /// The path in the stage that it comes from.
        from: String,
        /// The path in the image.
        to: String,
        /// Number of user and group.
        owner: u64,
        /// Permissions; `None` is as they were.
        mode: Option<u32>,
    },
    /// A variable of the process.
    Env(String, String),
    /// Number of the process's user and group.
    User(u64),
    /// A folder that outlives the container.
    Volume(String),
    /// A port that is listened on.
    Expose(u16),
    /// The program and its first words.
    Entrypoint(Vec<String>),
    /// The words behind them, unless others are given.
    Cmd(Vec<String>),
}

/// Reads the last stage, which is to be `FROM scratch`.
///
/// # Errors
/// When there is none, or one of its steps is not understood.
pub fn last_stage(text: &str) -> Result<Vec<Step>, String> {
    let lines = instructions(text);
    let at = lines.iter().rposition(|line| line.starts_with("FROM "));
    let stage = at.and_then(|at| lines.get(at..)).unwrap_or_default();
    let [from, steps @ ..] = stage else { return Err("it has no stage".to_owned()) };
    if from != "FROM scratch" {
        return Err(format!("its last stage is `{from}`, not `FROM scratch`"));
    }
    let mut read = Vec::new();
    for line in steps {
        step(line, &mut read).map_err(|why| format!("`{line}`: {why}"))?;
    }
    Ok(read)
}

/// Instructions without comments, continued lines joined.
fn instructions(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(begun) => open.push_str(begun),
            None => all.push(format!("{}{line}", std::mem::take(&mut open))),
        }
    }
    all
}

fn step(line: &str, to: &mut Vec<Step>) -> Result<(), String> {
    let (name, rest) = line.split_once(' ').ok_or("it has no words")?;
    let list = || serde_json::from_str::<Vec<String>>(rest).map_err(|error| error.to_string());
    match name {
        "COPY" => to.push(copy(rest)?),
        "ENV" => {
            for word in rest.split_whitespace() {
                let (key, value) = word.split_once('=').ok_or("write NAME=VALUE")?;
                if value.contains(['"', '\'', '$', '\\']) {
                    return Err("quotes and variables are not understood".to_owned());
                }
                to.push(Step::Env(key.to_owned(), value.to_owned()));
            }
        }
        "USER" => to.push(Step::User(owner(rest)?)),
        "VOLUME" => to.extend(list()?.into_iter().map(Step::Volume)),
        "EXPOSE" => to.push(Step::Expose(rest.parse().map_err(|_| "it is no port")?)),
        "ENTRYPOINT" => to.push(Step::Entrypoint(list()?)),
        "CMD" => to.push(Step::Cmd(list()?)),
        _ => return Err("this instruction is not understood".to_owned()),
    }
    Ok(())
}

fn copy(rest: &str) -> Result<Step, String> {
    let (mut stage, mut user, mut mode, mut paths) = (None, None, None, Vec::new());
    for word in rest.split_whitespace() {
        match word.split_once('=') {
            Some(("--from", name)) => stage = Some(name),
            Some(("--chown", names)) => user = Some(owner(names)?),
            Some(("--chmod", octal)) => {
                mode =
                    Some(u32::from_str_radix(octal, 8).map_err(|_| "--chmod is no octal number")?);
            }
            _ if word.starts_with("--") => return Err(format!("`{word}` is not understood")),
            _ => paths.push(word),
        }
    }
    match (stage, &paths[..]) {
        (Some(_), [from, to]) => Ok(Step::Copy {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            owner: user.unwrap_or(0),
            mode,
        }),
        _ => Err("write `COPY --from=STAGE PATH PATH`".to_owned()),
    }
}

/// `N:N`, by number: an image of nothing knows no names.
fn owner(text: &str) -> Result<u64, String> {
    match text.split_once(':') {
        Some((user, group)) if user == group => {
            user.parse().map_err(|_| format!("`{user}` is no number of a user"))
        }
        _ => Err(format!("write `{text}` as NUMBER:NUMBER, twice the same")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "FROM a AS build\nRUN x \\\n && y\n# why\nFROM scratch\n";

    #[test]
    fn steps_are_read() {
        let text = format!(
            "{HEAD}COPY --from=build --chown=7:7 --chmod=0755 /out/p /p\nENV A=1 B=c:/d\nUSER 7:7\n\
             VOLUME [\"/data\"]\nEXPOSE 7780\nENTRYPOINT [\"/p\"]\nCMD [\"serve\"]\n"
        );
        let own = str::to_owned;
        let copy = Step::Copy { from: own("/out/p"), to: own("/p"), owner: 7, mode: Some(0o755) };
        let expected = vec![
            copy,
            Step::Env(own("A"), own("1")),
            Step::Env(own("B"), own("c:/d")),
            Step::User(7),
            Step::Volume(own("/data")),
            Step::Expose(7780),
            Step::Entrypoint(vec![own("/p")]),
            Step::Cmd(vec![own("serve")]),
        ];
        assert_eq!(last_stage(&text), Ok(expected));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for wrong in [
            "RUN a",
            "COPY a b",
            "COPY --from=build --link a b",
            "COPY --from=build a b c",
            "ENV A=\"b\"",
            "ENV A",
            "USER palisade",
            "USER 1:2",
            "VOLUME /data",
            "EXPOSE x",
            "CMD serve",
        ] {
            assert!(last_stage(&format!("{HEAD}{wrong}\n")).is_err(), "{wrong}");
        }
        assert!(last_stage("FROM debian\n").is_err());
        assert!(last_stage("").is_err());
    }

    #[test]
    fn ours_is_understood_and_its_process_is_not_root() {
        let text = std::fs::read_to_string(crate::folders::root().join("Dockerfile")).unwrap();
        let steps = last_stage(&text).unwrap();
        let users = steps.iter().filter_map(|step| match step {
            Step::User(user) => Some(*user),
            _ => None,
        });
        assert_eq!(users.collect::<Vec<_>>(), [65532]);
    }
}
