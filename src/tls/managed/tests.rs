//! The state machine, case by case. Interleavings of two controllers are in `interleavings`.

mod interleavings;

use jiff::ToSpan as _;
use rstest::rstest;

use super::*;
use crate::tls::TlsError;

const SETTLE: Duration = Duration::from_secs(10);

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn wanted() -> Wanted {
    let hosts = ["eco-pulse-webhook.eco-pulse.svc", "eco-pulse-webhook.eco-pulse"];
    Wanted { hosts: hosts.map(|host| host.parse().unwrap()).into(), settle: SETTLE }
}

fn apply(change: &Change, stored: &Stored, now: Timestamp) -> Stored {
    change.apply(stored, &wanted().hosts, now).unwrap()
}

/// A Secret in good order, with one authority, and what is published for it.
fn installed(now: Timestamp) -> (Stored, Published) {
    let with_authority = apply(&Change::Authority(Cause::Missing), &Stored::default(), now);
    let stored = apply(&Change::Leaf(Cause::Missing), &with_authority, now);
    let published = published(&stored);
    (stored, published)
}

fn published(stored: &Stored) -> Published {
    let bundle =
        Authority::of_bundle(&stored.authorities_pem).iter().map(Authority::to_pem).collect::<String>();
    Published::Bundles(vec![bundle.into_bytes()])
}

fn step(stored: &Stored, published: &Published, seconds: u64, now: Timestamp) -> Action {
    next(Some(stored), published, Duration::from_secs(seconds), &wanted(), now)
}

fn change(action: Action) -> Change {
    match action {
        Action::Write(change) => change,
        other => panic!("nothing is written: {other:?}"),
    }
}

#[test]
fn a_fresh_install_goes_from_authority_to_bundle_to_leaf_without_a_wait() {
    let now = start();
    let empty = Published::Bundles(vec![Vec::new()]);
    let first = next(None, &empty, Duration::ZERO, &wanted(), now);
    assert_eq!(first, Action::Write(Change::Authority(Cause::Missing)));
    let stored = apply(&change(first), &Stored::default(), now);
    let Action::Publish(bundle) = step(&stored, &empty, 0, now) else { panic!("the bundle comes first") };
    let published = Published::Bundles(vec![bundle]);
    assert!(is_published(&stored, &published) && !is_published(&stored, &empty));
    let leaf = step(&stored, &published, 0, now);
    assert_eq!(leaf, Action::Write(Change::Leaf(Cause::Missing)));
    let stored = apply(&change(leaf), &stored, now);
    assert_eq!(step(&stored, &published, 0, now), Action::Nothing);
    let leaf = stored.leaf().unwrap();
    assert_eq!(leaf.names(), ["eco-pulse-webhook.eco-pulse.svc", "eco-pulse-webhook.eco-pulse"]);
    assert_eq!(leaf.validity().not_after, "2026-05-30T11:55:00Z".parse().unwrap());
}

#[test]
fn no_leaf_is_made_while_nobody_knows_what_is_published() {
    let stored = apply(&Change::Authority(Cause::Missing), &Stored::default(), start());
    assert_eq!(step(&stored, &Published::Unknown, 999, start()), Action::Wait);
    // Without a configuration nobody asks, so nobody can fail.
    assert_eq!(step(&stored, &Published::Absent, 0, start()), Action::Write(Change::Leaf(Cause::Missing)));
}

#[rstest]
#[case(0, None)]
#[case(59, None)]
#[case(61, Some(Change::Leaf(Cause::EndsSoon)))]
#[case(89, Some(Change::Leaf(Cause::EndsSoon)))]
#[case(91, Some(Change::Leaf(Cause::EndsSoon)))]
#[case(366, Some(Change::Authority(Cause::EndsSoon)))]
fn a_leaf_is_renewed_when_a_third_of_its_time_is_left(#[case] days: i64, #[case] expected: Option<Change>) {
    let (stored, published) = installed(start());
    let action = step(&stored, &published, 0, start() + (24 * days).hours());
    assert_eq!(action, expected.map_or(Action::Nothing, Action::Write));
    // The same authority signs: what is published does not matter.
    if days < 366 {
        assert_eq!(step(&stored, &Published::Unknown, 0, start() + (24 * days).hours()), action);
    }
}

#[test]
fn a_new_authority_goes_first_and_its_leaf_waits_until_it_is_published_for_a_while() {
    let (mut stored, before) = installed(start());
    let now = start() + (24 * 244).hours();
    stored = apply(&Change::Leaf(Cause::EndsSoon), &stored, now);
    let action = step(&stored, &before, 99, now);
    assert_eq!(action, Action::Write(Change::Authority(Cause::EndsSoon)));
    let renewed = apply(&change(action), &stored, now);
    assert_eq!(renewed.leaf().unwrap().validity(), stored.leaf().unwrap().validity(), "the leaf stays");
    assert_eq!(step(&renewed, &Published::Unknown, 99, now), Action::Wait);
    let Action::Publish(bundle) = step(&renewed, &before, 99, now) else { panic!("the bundle comes first") };
    let both = Authority::of_bundle(&bundle);
    assert_eq!(both.len(), 2);
    assert_eq!(both[1..], Authority::of_bundle(&stored.authorities_pem));
    let after = Published::Bundles(vec![bundle]);
    assert_eq!(step(&renewed, &after, 9, now), Action::Wait);
    let action = step(&renewed, &after, 10, now);
    assert_eq!(action, Action::Write(Change::Leaf(Cause::OtherAuthority)));
    let done = apply(&change(action), &renewed, now);
    assert_eq!(step(&done, &after, 10, now), Action::Nothing);
    assert!(both[0].signed(&done.leaf().unwrap()) && !both[1].signed(&done.leaf().unwrap()));
}

#[test]
fn no_new_authority_is_begun_while_it_could_not_be_published() {
    let (stored, _) = installed(start());
    let now = start() + (24 * 244).hours();
    let stored = apply(&Change::Leaf(Cause::EndsSoon), &stored, now);
    assert_eq!(step(&stored, &Published::Unknown, 99, now), Action::Nothing);
}

#[test]
fn authorities_leave_the_bundle_when_they_have_ended() {
    let (stored, _) = installed(start());
    let second = apply(&Change::Authority(Cause::Asked), &stored, start() + (24 * 200).hours());
    assert_eq!(Authority::of_bundle(&second.authorities_pem).len(), 2);
    let third = apply(&Change::Authority(Cause::Asked), &second, start() + (24 * 364).hours());
    assert_eq!(Authority::of_bundle(&third.authorities_pem).len(), 3);
    let fourth = apply(&Change::Authority(Cause::Asked), &third, start() + (24 * 366).hours());
    assert_eq!(Authority::of_bundle(&fourth.authorities_pem).len(), 3, "the first has ended");
}

#[test]
fn a_bundle_does_not_grow_without_end_and_keeps_who_signed_the_leaf() {
    let (mut stored, _) = installed(start());
    let leaf = stored.leaf().unwrap();
    for _ in 0..MOST_AUTHORITIES + 3 {
        stored = apply(&Change::Authority(Cause::Asked), &stored, start());
    }
    let authorities = Authority::of_bundle(&stored.authorities_pem);
    assert_eq!(authorities.len(), MOST_AUTHORITIES + 1);
    assert!(authorities.last().unwrap().signed(&leaf));
}

#[rstest]
#[case(Renew::Leaf, Change::Leaf(Cause::Asked))]
#[case(Renew::Authority, Change::Authority(Cause::Asked))]
fn what_is_asked_for_is_done_once(#[case] renew: Renew, #[case] expected: Change) {
    let (mut stored, published) = installed(start());
    stored.renew = Some(renew);
    let action = step(&stored, &published, 99, start());
    assert_eq!(action, Action::Write(expected));
    let done = apply(&change(action), &stored, start());
    assert_eq!(done.renew, None);
    assert_ne!(
        (&done.certificate_pem, &done.authorities_pem),
        (&stored.certificate_pem, &stored.authorities_pem)
    );
}

/// A second one would push the leaf's own authority further back before anybody shows a leaf of the first.
#[test]
fn an_authority_asked_for_during_a_change_waits_until_that_is_complete() {
    let (stored, published_before) = installed(start());
    let mut changing = apply(&Change::Authority(Cause::Asked), &stored, start());
    changing.renew = Some(Renew::Authority);
    assert!(matches!(step(&changing, &published_before, 99, start()), Action::Publish(_)));
    let after = published(&changing);
    assert_eq!(step(&changing, &after, 1, start()), Action::Wait);
    let leaf = change(step(&changing, &after, 99, start()));
    let changed = apply(&leaf, &changing, start());
    assert_eq!(changed.renew, Some(Renew::Authority), "not forgotten");
    assert_eq!(step(&changed, &after, 99, start()), Action::Write(Change::Authority(Cause::Asked)));
}

/// What people do to Secrets.
#[rstest]
#[case::no_authority(|stored: &mut Stored| stored.authorities_pem.clear(), Change::Authority(Cause::Missing))]
#[case::damaged_authority(|stored: &mut Stored| stored.authorities_pem = b"garbage".into(), Change::Authority(Cause::Missing))]
#[case::a_leaf_as_authority(|stored: &mut Stored| stored.authorities_pem = stored.certificate_pem.clone(), Change::Authority(Cause::Missing))]
#[case::no_authority_key(|stored: &mut Stored| stored.authority_key_pem.clear(), Change::Authority(Cause::Key))]
#[case::other_authority_key(|stored: &mut Stored| stored.authority_key_pem = stored.key_pem.clone(), Change::Authority(Cause::Key))]
#[case::no_leaf(|stored: &mut Stored| stored.certificate_pem.clear(), Change::Leaf(Cause::Missing))]
#[case::no_leaf_key(|stored: &mut Stored| stored.key_pem.clear(), Change::Leaf(Cause::Missing))]
#[case::damaged_leaf_key(|stored: &mut Stored| stored.key_pem = b"\xff\x00".into(), Change::Leaf(Cause::Missing))]
#[case::other_leaf_key(|stored: &mut Stored| stored.key_pem = stored.authority_key_pem.clone(), Change::Leaf(Cause::Key))]
fn half_a_secret_is_made_whole(#[case] harm: fn(&mut Stored), #[case] expected: Change) {
    let (mut stored, published) = installed(start());
    harm(&mut stored);
    assert_eq!(step(&stored, &published, 99, start()), Action::Write(expected.clone()));
    apply(&expected, &stored, start()).leaf().ok();
}

#[test]
fn a_leaf_for_other_hosts_or_of_a_stranger_is_replaced() {
    let (stored, published) = installed(start());
    let more =
        Wanted { hosts: [wanted().hosts, vec!["extra.example".parse().unwrap()]].concat(), ..wanted() };
    let action = next(Some(&stored), &published, SETTLE, &more, start());
    assert_eq!(action, Action::Write(Change::Leaf(Cause::Hosts)));
    let (other, _) = installed(start());
    let foreign = Stored { certificate_pem: other.certificate_pem, key_pem: other.key_pem, ..stored.clone() };
    assert_eq!(step(&foreign, &published, 99, start()), Action::Write(Change::Leaf(Cause::OtherAuthority)));
}

#[test]
fn a_leaf_or_an_authority_from_the_future_is_replaced_since_a_clock_was_wrong() {
    let (stored, published) = installed(start());
    let earlier = start() - 1.hour();
    assert_eq!(step(&stored, &published, 99, earlier), Action::Write(Change::Authority(Cause::NotYetValid)));
    let (mut stored, published) = installed(earlier);
    stored = apply(&Change::Leaf(Cause::Asked), &stored, start());
    assert_eq!(step(&stored, &published, 99, earlier), Action::Write(Change::Leaf(Cause::NotYetValid)));
}

#[test]
fn an_edited_bundle_is_put_right_also_in_one_of_several_webhooks() {
    let (stored, good) = installed(start());
    let Published::Bundles(bundles) = &good else { unreachable!() };
    let right = bundles[0].clone();
    for edited in [Vec::new(), b"garbage".to_vec(), published_bundle_of_a_stranger()] {
        for bundles in [vec![edited.clone()], vec![right.clone(), edited]] {
            let action = step(&stored, &Published::Bundles(bundles), 0, start());
            assert_eq!(action, Action::Publish(right.clone()));
        }
    }
}

fn published_bundle_of_a_stranger() -> Vec<u8> {
    let (_, Published::Bundles(mut bundles)) = installed(start()) else { unreachable!() };
    bundles.remove(0)
}

#[test]
fn after_a_lost_secret_the_published_authority_stays_until_a_new_leaf_is_everywhere() {
    let (lost, before) = installed(start());
    let anew = apply(&Change::Authority(Cause::Missing), &Stored::default(), start());
    let action = step(&anew, &before, 99, start());
    let Action::Write(Change::Adopt(pem)) = &action else { panic!("{action:?}") };
    assert_eq!(Authority::of_bundle(pem.as_bytes()), Authority::of_bundle(&lost.authorities_pem));
    let adopted = apply(&change(action.clone()), &anew, start());
    assert!(matches!(step(&adopted, &before, 99, start()), Action::Publish(_)));
    assert_eq!(step(&adopted, &published(&adopted), 9, start()), Action::Wait);
    // One that has ended is not worth keeping.
    assert!(matches!(
        step(
            &apply(&Change::Authority(Cause::Missing), &Stored::default(), start() + (24 * 366).hours()),
            &before,
            99,
            start() + (24 * 366).hours()
        ),
        Action::Publish(_)
    ));
}

#[test]
fn a_leaf_is_never_valid_for_longer_than_its_authority() {
    let (stored, _) = installed(start());
    let late = apply(&Change::Leaf(Cause::Asked), &stored, start() + (24 * 350).hours());
    let authority = &Authority::of_bundle(&stored.authorities_pem)[0];
    assert_eq!(late.leaf().unwrap().validity().not_after, authority.validity.not_after);
}

#[test]
fn without_a_host_there_is_no_leaf() {
    let stored = apply(&Change::Authority(Cause::Missing), &Stored::default(), start());
    let refused = Change::Leaf(Cause::Missing).apply(&stored, &[], start());
    assert!(matches!(refused, Err(TlsError::NoHost)));
}

#[test]
fn debug_output_holds_no_key() {
    let (stored, _) = installed(start());
    let shown = format!("{stored:?}");
    assert!(shown.contains("eco-pulse-webhook.eco-pulse.svc"), "{shown}");
    for key in [&stored.key_pem, &stored.authority_key_pem] {
        let line = std::str::from_utf8(key).unwrap().lines().nth(1).unwrap();
        assert!(!shown.contains(line) && !shown.contains("PRIVATE"), "{shown}");
    }
}
