//! `AWS::Config::ConfigurationRecorder`: which types the shard's inventory covers (semantics §11
//! row 36).

use crate::ident::ResourceType;
use crate::inventory::{Body, Recorder, RecordingGroup};

use super::shape::{Flag, Many, Text, shape};
use super::source::{Source, sorted};

shape! {
    RecorderBody {
        recording: Flag = "recording",
        group: GroupBody<'a> = "recordingGroup",
        scope: Text<'a> = "recordingScope",
    }
}

shape! {
    GroupBody {
        all: Flag = "allSupported",
        types: Many<Text<'a>> = "resourceTypes",
        exclusion: Exclusion<'a> = "exclusionByResourceTypes",
        strategy: Strategy<'a> = "recordingStrategy",
    }
}

shape! {
    Exclusion {
        types: Many<Text<'a>> = "resourceTypes",
    }
}

shape! {
    Strategy {
        use_only: Text<'a> = "useOnly",
    }
}

/// A recorder that does not tell what it records is unseen: it lists nothing. One that delivers nothing
/// need not tell it.
pub(super) fn read(source: &Source<'_>) -> Result<Body, String> {
    let body: RecorderBody<'_> = source.body()?;
    let internal = match body.scope.and_then(Text::filled) {
        Some(scope) => scope.eq_ignore_ascii_case("INTERNAL"),
        None => source.item.key.id.as_str().starts_with(Recorder::SERVICE_LINKED),
    };
    let group = body.group.map(recording_group).transpose()?.flatten();
    let group = group.or_else(|| internal.then(|| RecordingGroup::Only(Vec::new())));
    let Some(group) = group else { return Ok(Body::Unseen) };
    let recording = body.recording.is_none_or(|recording| recording.0);
    Ok(Body::Recorder(Recorder { recording, group, internal }))
}

/// The strategy decides where there is one; recorders older than strategies (2023) say it by
/// `allSupported` and their lists.
fn recording_group(group: GroupBody<'_>) -> Result<Option<RecordingGroup>, String> {
    let listed = types(group.types)?;
    let is_exclusion_told = group.exclusion.as_ref().is_some_and(|one| one.types.is_some());
    let excluded = types(group.exclusion.and_then(|exclusion| exclusion.types))?;
    let strategy = group.strategy.and_then(|strategy| strategy.use_only);
    let all = group.all.map(|all| all.0);
    match strategy.as_ref().map_or("", Text::as_str) {
        // One that contradicts itself is not told.
        "ALL_SUPPORTED_RESOURCE_TYPES" if all == Some(false) || !excluded.is_empty() => {
            return Ok(None);
        }
        "ALL_SUPPORTED_RESOURCE_TYPES" => return Ok(Some(RecordingGroup::All)),
        "INCLUSION_BY_RESOURCE_TYPES" => return Ok(Some(RecordingGroup::Only(listed))),
        // What it leaves out is not told.
        "EXCLUSION_BY_RESOURCE_TYPES" if !is_exclusion_told => return Ok(None),
        "EXCLUSION_BY_RESOURCE_TYPES" => return Ok(Some(RecordingGroup::AllBut(excluded))),
        _ => {}
    }
    Ok(if !excluded.is_empty() && (listed.is_empty() || all == Some(true)) {
        // Without its strategy a recorder is not known to record what it names as left out.
        Some(RecordingGroup::AllBut(excluded))
    } else if all == Some(true) {
        Some(RecordingGroup::All)
    } else if all.is_none() && listed.is_empty() {
        None
    } else {
        Some(RecordingGroup::Only(listed))
    })
}

fn types(list: Option<Many<Text<'_>>>) -> Result<Vec<ResourceType>, String> {
    let texts = list.into_iter().flat_map(|list| list.0);
    let types: Result<Vec<_>, _> =
        texts.map(|text| ResourceType::try_from(text.as_str())).collect();
    types.map(sorted).map_err(|error| error.to_string())
}
