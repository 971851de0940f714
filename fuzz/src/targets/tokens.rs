//! Page tokens: what nobody sealed does not open.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use palisade_api::Entropy;
use palisade_api::pages::{Binding, Sealer};

use crate::prng::Prng;

/// The key under which the tokens of the corpus are sealed, for [`BINDING`] and this position.
const KEY: [u8; 32] = [3; 32];
const POSITION: &str = "arn:aws:fms:eu-west-1:111122223333:policy/a1b2c3d4";
const BINDING: Binding<'_> =
    Binding { caller: "111122223333", operation: "ListPolicies", filter: &["eu-west-1"] };

/// Gives these bytes.
struct Given([u8; 12]);

impl Entropy for Given {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

/// As a token: opens only if it is one that was sealed. As a position: sealed and opened again, and
/// not opened when anything of it, of its binding or of its key is another.
pub fn page_tokens(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let sealer = Sealer::new(KEY);
    let opened = sealer.open(BINDING, &text);
    if let Some(position) = &opened {
        assert_eq!(position, POSITION, "nothing else was ever sealed");
        let nonce = URL_SAFE_NO_PAD.decode(text.as_bytes()).unwrap()[..12].try_into().unwrap();
        assert_eq!(
            sealer.seal(&Given(nonce), BINDING, POSITION).unwrap(),
            text,
            "written so alone"
        );
    }
    let mut random = Prng::of_bytes(input);
    let nonce = std::array::from_fn(|_| random.byte());
    let token = sealer.seal(&Given(nonce), BINDING, &text).unwrap();
    assert_eq!(sealer.open(BINDING, &token).as_deref(), Some(&*text));
    let mut altered = token.clone().into_bytes();
    match random.below(4) {
        0 => altered.truncate(random.below(altered.len())),
        1 => altered.insert(random.below(altered.len() + 1), b'A'),
        2 => altered.push(b'='),
        _ => {
            let at = random.below(altered.len());
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        }
    }
    let altered = String::from_utf8(altered).unwrap();
    if altered != token {
        assert_eq!(sealer.open(BINDING, &altered), None, "{altered} instead of {token}");
    }
    let filter = [&*text];
    for other in [
        // The same letters, cut elsewhere.
        Binding { caller: "111122223333L", operation: "istPolicies", ..BINDING },
        Binding { operation: "ListPolicieseu-west-1", filter: &[], ..BINDING },
        Binding { filter: &["eu-west-1", ""], ..BINDING },
        Binding { filter: &["eu-west", "-1"], ..BINDING },
        Binding { caller: &text, ..BINDING },
        Binding { operation: &text, ..BINDING },
        Binding { filter: &filter, ..BINDING },
        Binding { filter: &[], ..BINDING },
    ] {
        let same = [other.caller, other.operation] == [BINDING.caller, BINDING.operation]
            && other.filter == BINDING.filter;
        assert_eq!(sealer.open(other, &token).is_some(), same, "{other:?}");
    }
    assert_eq!(Sealer::new([4; 32]).open(BINDING, &token), None, "another key");
    opened.is_some()
}
