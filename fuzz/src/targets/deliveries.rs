//! AWS Config items and the files that hold them.

use palisade_core::inventory::{
    Delivery, DeliveryError, DeliveryReader, decode_item, encode_item, read_item,
};

use crate::prng::Prng;

/// A file name that says everything a name can say.
const SNAPSHOT: &str = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_a1b2c3d4-5678-90ab-cdef-111111111111.json.gz";

/// One item: kept as it was read, and the same inside a file.
pub fn items(input: &[u8]) -> bool {
    let read = read_item(input);
    assert_eq!(read_item(input), read, "the same again");
    let Ok(observation) = read else { return false };
    let item = &observation.item;
    assert_eq!(decode_item(&item.key, &encode_item(item)).as_ref(), Ok(item));
    let file = [b"{\"configurationItems\":[", input, b"]}"].concat();
    match delivered("", &[&file]) {
        Ok(delivery) => {
            // The list and the object around it count as two levels.
            let is_too_deep = |reason: &str| reason.starts_with("nested more than");
            match &delivery.quarantined[..] {
                [] => assert_eq!(delivery.observations, [observation]),
                [one] if is_too_deep(&one.reason) => {}
                others => panic!("an item by itself is read and in its file is not: {others:?}"),
            }
        }
        Err(error) => panic!("an item by itself is read and its file is not: {error}"),
    }
    true
}

/// A file is read the same however it is cut into chunks.
pub fn deliveries(input: &[u8]) -> bool {
    let mut random = Prng::of_bytes(input);
    let name = *random.pick(&["", "messages.json", SNAPSHOT]).unwrap();
    let whole = delivered(name, &[input]);
    if let Ok(delivery) = &whole {
        for observation in &delivery.observations {
            let item = &observation.item;
            assert_eq!(decode_item(&item.key, &encode_item(item)).as_ref(), Ok(item));
        }
        for one in &delivery.quarantined {
            assert!(!one.reason.is_empty() && one.reason.chars().count() <= 500);
        }
    }
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(delivered(name, &bytes), whole, "byte by byte");
    let mut chunks = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(random.below(rest.len().min(64)) + 1);
        chunks.push(chunk);
        rest = after;
    }
    assert_eq!(delivered(name, &chunks), whole, "in chunks of up to 64 bytes");
    assert_eq!(encoded(name, input), whole, "encoded");
    whole.is_ok_and(|delivery| !delivery.observations.is_empty())
}

/// What a file says when it is encoded as it is read, decoded again.
fn encoded(name: &str, input: &[u8]) -> Result<Delivery, DeliveryError> {
    let mut reader = DeliveryReader::new(name).encoding();
    reader.push(input)?;
    let mut delivery = reader.finish()?;
    let encoded = std::mem::take(&mut delivery.encoded);
    for item in encoded.items() {
        let Ok(observation) = item.decode() else { panic!("`{}` does not decode", item.id) };
        assert_eq!(item.body, encode_item(&observation.item));
        delivery.observations.push(observation);
    }
    Ok(delivery)
}

fn delivered(name: &str, chunks: &[&[u8]]) -> Result<Delivery, DeliveryError> {
    let mut reader = DeliveryReader::new(name);
    for chunk in chunks {
        reader.push(chunk)?;
    }
    reader.finish()
}
