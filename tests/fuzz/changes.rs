//! Bodies that are nearly right: one that is right with its end cut off, a byte changed, or a piece of it repeated. No chance is
//! involved, so that what fails once fails always.

/// Of a body at most so many, spread over it.
const MOST_OF_A_KIND: usize = 24;
/// Longer ones are not tried at every place by far, and take their time.
const MANY_BYTES: usize = 20_000;

/// The changed bodies, one after the other.
pub fn of(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let many = if body.len() > MANY_BYTES { MOST_OF_A_KIND / 6 } else { MOST_OF_A_KIND };
    let places = (0..many).map(move |nth| body.len() * nth / many);
    let cut = places.clone().map(|at| body[..at].to_vec());
    // Bit after bit, so that brackets, digits and letters all change into something else.
    let flipped = places.clone().filter(|at| *at < body.len()).enumerate().map(|(nth, at)| {
        let mut changed = body.to_vec();
        changed[at] ^= 1 << (nth % 8);
        changed
    });
    let repeated = places.step_by(4).map(|at| {
        let piece = &body[at..body.len().min(at + 40)];
        [&body[..at], piece, &body[at..]].concat()
    });
    cut.chain(flipped).chain(repeated)
}

#[test]
fn a_body_is_changed_in_every_way_and_never_left_as_it_is() {
    let body: Vec<u8> = (0..200).collect();
    let changed: Vec<Vec<u8>> = of(&body).collect();
    assert!(changed.iter().all(|changed| *changed != body));
    for length in [0, body.len(), body.len() + 40] {
        assert!(changed.iter().any(|changed| changed.len() == length), "none of {length} bytes");
    }
    assert_eq!(of(b"").filter(|changed| !changed.is_empty()).count(), 0);
}
