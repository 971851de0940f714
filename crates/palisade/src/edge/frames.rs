//! The frames that go out over HTTP/2, followed so far that a bare refusal among them is found.
//!
//! A request whose headers are above the limit that was announced never comes to us: the `h2` crate
//! answers it itself, with a status and nothing else.

/// Bytes of a frame's head (RFC 9113 §4.1).
const HEAD_LEN: usize = 9;
/// The type of a frame of headers.
const HEADERS: u8 = 1;
/// Flags of headers that are a whole answer: the end of the stream and of the headers.
const WHOLE: u8 = 0x5;
/// Bytes in which a status alone is written. An answer of the router takes more for its request id,
/// which is new every time.
const STATUS_BYTES_MAX: usize = 8;

/// Where in the outgoing frames a connection is.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    head: [u8; HEAD_LEN],
    /// Bytes of the present frame's head that were sent.
    sent: usize,
    /// Bytes of the present frame that follow.
    due: usize,
}

impl Frames {
    /// Bytes of `out` that may go as they are: those before the first bare refusal.
    pub fn plain(&self, out: &[u8]) -> usize {
        let mut frames = self.clone();
        let mut at = 0;
        while let Some(rest) = out.get(at..).filter(|rest| !rest.is_empty()) {
            if frames.between() && bare(rest).is_some() {
                break;
            }
            at = at.saturating_add(frames.step(rest));
        }
        at
    }

    /// Goes on by bytes that were sent as they are.
    pub fn passed(&mut self, mut sent: &[u8]) {
        while !sent.is_empty() {
            let step = self.step(sent);
            sent = sent.get(step..).unwrap_or_default();
        }
    }

    /// Whether the next byte is a frame's first.
    fn between(&self) -> bool {
        self.sent == 0 && self.due == 0
    }

    /// Goes on within one frame; the bytes that this took.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.due > 0 {
            let taken = self.due.min(bytes.len());
            self.due = self.due.saturating_sub(taken);
            return taken;
        }
        let due = self.head.iter_mut().skip(self.sent);
        let taken = due.zip(bytes).map(|(held, byte)| *held = *byte).count();
        self.sent = self.sent.saturating_add(taken);
        if self.sent == HEAD_LEN {
            (self.sent, self.due) = (0, length(&self.head));
        }
        taken
    }
}

/// Bytes that follow a frame's head.
fn length(head: &[u8; HEAD_LEN]) -> usize {
    let [high, middle, low, ..] = head.map(usize::from);
    high << 16 | middle << 8 | low
}

/// The length of the bare refusal with which `out`, which begins with a frame, begins.
pub fn bare(out: &[u8]) -> Option<usize> {
    let head: &[u8; HEAD_LEN] = out.first_chunk()?;
    let [_, _, _, kind, flags, ..] = *head;
    let whole = HEAD_LEN.saturating_add(length(head));
    let is_bare = kind == HEADERS && flags == WHOLE && length(head) <= STATUS_BYTES_MAX;
    (is_bare && whole <= out.len()).then_some(whole)
}

/// A bare refusal with these headers added.
pub fn with_headers(refusal: &[u8], headers: &[(&str, &str)]) -> Option<Vec<u8>> {
    let (head, block) = refusal.split_first_chunk::<HEAD_LEN>()?;
    let mut block = block.to_vec();
    for (name, value) in headers {
        // A literal that neither side remembers (RFC 7541 §6.2.2), so that what both remember stays
        // the same.
        block.push(0);
        for text in [name, value] {
            // Longer texts have longer lengths, which nothing here needs.
            block.push(u8::try_from(text.len()).ok().filter(|length| *length < 127)?);
            block.extend_from_slice(text.as_bytes());
        }
    }
    let [.., high, middle, low] = u64::try_from(block.len()).ok()?.to_be_bytes();
    let [_, _, _, rest @ ..] = *head;
    Some([&[high, middle, low], rest.as_slice(), &block].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, block: &[u8]) -> Vec<u8> {
        let length = u8::try_from(block.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, 1], block].concat()
    }

    #[test]
    fn a_bare_refusal_is_found_between_other_frames_however_they_are_cut() {
        let settings = frame(4, 0, &[0; 6]);
        // What looks like a refusal inside another frame is none.
        let data = frame(0, 0, &frame(1, 5, b"\x88"));
        let answer = frame(1, 5, &[0x40; 60]);
        let refusal = frame(1, 5, b"\x48\x82\x68\x01");
        let before = [settings, data, answer].concat();
        let out = [before.as_slice(), &refusal, &frame(3, 0, &[0; 4])].concat();
        for cut in 0..=before.len() {
            let mut frames = Frames::default();
            let (sent, rest) = out.split_at(cut);
            frames.passed(sent);
            assert_eq!(frames.plain(rest), before.len() - cut, "{cut}");
        }
        assert_eq!(bare(&out[before.len()..]), Some(refusal.len()));
        let mut frames = Frames::default();
        frames.passed(&before);
        assert_eq!(frames.plain(&out[before.len() + refusal.len()..]), 13, "a reset goes as it is");
    }

    #[test]
    fn what_is_longer_or_goes_on_is_no_bare_refusal() {
        assert_eq!(bare(&frame(1, 5, &[0x88; STATUS_BYTES_MAX])), Some(9 + STATUS_BYTES_MAX));
        assert_eq!(bare(&frame(1, 5, &[0x88; STATUS_BYTES_MAX + 1])), None);
        assert_eq!(bare(&frame(1, 4, b"\x88")), None, "a body follows");
        assert_eq!(bare(&frame(1, 1, b"\x88")), None, "headers follow");
        assert_eq!(bare(&frame(0, 5, b"\x88")), None, "not headers");
        assert_eq!(bare(&frame(1, 5, b"\x88")[..9]), None, "not there yet");
        assert_eq!(bare(b"\0\0"), None);
    }

    #[test]
    fn headers_are_added_in_the_form_that_is_not_remembered() {
        let dressed = with_headers(&frame(1, 5, b"\x88"), &[("ab", "xyz")]).unwrap();
        assert_eq!(dressed, frame(1, 5, b"\x88\x00\x02ab\x03xyz"));
        assert_eq!(with_headers(&frame(1, 5, b"\x88"), &[("ab", &"x".repeat(127))]), None);
        let three = ["x"; 3].map(|name| (name, "y"));
        assert_eq!(with_headers(b"\0\0\x01", &three), None);
    }
}
