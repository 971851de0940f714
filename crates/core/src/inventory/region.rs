//! Names of Regions, as files and items tell them.

use crate::ident::Region;

/// The Region of this name. Every one's ends in a number; an Availability Zone's has a letter behind it, and
/// taken for a Region that, or a name that was cut off, would hide an item where nobody looks.
///
/// # Errors
///
/// What is wrong with the name.
pub(super) fn region_named(text: &str) -> Result<Region, String> {
    let region = Region::try_from(text).map_err(|error| error.to_string())?;
    match region.as_str().ends_with(|last: char| last.is_ascii_digit()) {
        true => Ok(region),
        false => Err(format!("`awsRegion` is no Region's name, such as `eu-west-1`: `{region}`")),
    }
}
