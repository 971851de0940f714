//! Where palisade-core reads the semantics otherwise than they are written here. Each is one named rule,
//! which goes on as soon as core agrees.

/// What is missed of the type of a protection is missed of one that a verdict rests on, also where a
/// resource of that type need not be protected by it (semantics §11 rows 37, 39 and 40 beside row 44).
/// Core asks for gaps of regional protections alone for all but distributions.
pub const HOLES_OF_HELD_PROTECTIONS: bool = true;
