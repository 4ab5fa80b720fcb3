//! Two controllers that read and write in any order, while somebody deletes, damages and asks: whatever the order, nobody
//! ever shows a leaf that the API server does not trust.

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A controller takes one step: it reads, or it writes.
    Step(usize),
    /// A controller starts anew, and remembers nothing.
    Restart(usize),
    DeleteSecret,
    LoseLeafKey,
    LoseAuthorityKey,
    LoseAuthorities,
    Ask(Renew),
    EditBundle,
    Days(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        40 => (0..2_usize).prop_map(Event::Step),
        1 => (0..2_usize).prop_map(Event::Restart),
        1 => Just(Event::DeleteSecret),
        1 => Just(Event::LoseLeafKey),
        1 => Just(Event::LoseAuthorityKey),
        1 => Just(Event::LoseAuthorities),
        1 => Just(Event::Ask(Renew::Leaf)),
        2 => Just(Event::Ask(Renew::Authority)),
        1 => Just(Event::EditBundle),
        1 => (1..200_i64).prop_map(Event::Days),
    ]
}

/// A thing with a version, as the API server has it.
#[derive(Clone)]
struct Versioned<T> {
    version: u64,
    value: T,
}

#[derive(Default)]
struct Controller {
    /// What it has read in this round.
    configuration: Option<Versioned<Vec<u8>>>,
    secret: Option<Versioned<Option<Stored>>>,
    /// The newest authority, and since which step it has been seen published.
    settling: Option<(Authority, u64)>,
}

struct World {
    now: Timestamp,
    steps: u64,
    configuration: Versioned<Vec<u8>>,
    secret: Versioned<Option<Stored>>,
    controllers: [Controller; 2],
    /// The last leaf that was written: pods show it until there is another.
    shown: Option<Certificate>,
    /// Somebody took trust away by hand, and what is shown has not been trusted since a bundle was published again.
    harmed: bool,
    mended: bool,
}

impl World {
    fn new() -> Self {
        Self {
            now: start(),
            steps: 0,
            configuration: Versioned { version: 0, value: Vec::new() },
            secret: Versioned { version: 0, value: None },
            controllers: Default::default(),
            shown: None,
            harmed: false,
            mended: true,
        }
    }

    fn edit_secret(&mut self, edit: impl FnOnce(&mut Stored)) {
        if let Some(stored) = &mut self.secret.value {
            edit(stored);
            self.secret.version += 1;
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(who) => self.step(who),
            Event::Restart(who) => self.controllers[who] = Controller::default(),
            Event::DeleteSecret => {
                self.secret = Versioned { version: self.secret.version + 1, value: None };
            }
            Event::LoseLeafKey => self.edit_secret(|stored| stored.key_pem.clear()),
            Event::LoseAuthorityKey => self.edit_secret(|stored| stored.authority_key_pem.clear()),
            Event::LoseAuthorities => self.edit_secret(|stored| stored.authorities_pem.clear()),
            Event::Ask(what) => self.edit_secret(|stored| stored.renew = Some(what)),
            Event::EditBundle => {
                let version = self.configuration.version + 1;
                self.configuration = Versioned { version, value: b"garbage".to_vec() };
                (self.harmed, self.mended) = (true, false);
            }
            Event::Days(days) => self.now += (24 * days).hours(),
        }
    }

    /// One call to the API server: first the configuration is read, then the Secret, then something is written.
    fn step(&mut self, who: usize) {
        self.steps += 1;
        let controller = &mut self.controllers[who];
        let Some(configuration) = controller.configuration.clone() else {
            controller.configuration = Some(self.configuration.clone());
            return;
        };
        let Some(secret) = controller.secret.clone() else {
            controller.secret = Some(self.secret.clone());
            return;
        };
        (controller.configuration, controller.secret) = (None, None);
        let published = Published::Bundles(vec![configuration.value]);
        let published_for = controller.published_for(secret.value.as_ref(), &published, self.steps);
        let action = next(secret.value.as_ref(), &published, published_for, &wanted(), self.now);
        match action {
            Action::Nothing | Action::Wait => {}
            Action::Write(change) => {
                if secret.version == self.secret.version {
                    let stored = apply(&change, &secret.value.unwrap_or_default(), self.now);
                    if matches!(change, Change::Leaf(_)) {
                        self.shown = Some(stored.leaf().unwrap());
                    }
                    self.secret = Versioned { version: secret.version + 1, value: Some(stored) };
                }
            }
            Action::Publish(bundle) => {
                if configuration.version == self.configuration.version {
                    self.configuration = Versioned { version: configuration.version + 1, value: bundle };
                    self.mended = true;
                }
            }
        }
    }

    fn is_trusted(&self) -> bool {
        let Some(shown) = &self.shown else { return true };
        shown.validity().state(self.now) == ValidityState::Expired
            || Authority::of_bundle(&self.configuration.value).iter().any(|authority| authority.signed(shown))
    }
}

impl Controller {
    fn published_for(&mut self, stored: Option<&Stored>, published: &Published, steps: u64) -> Duration {
        let newest = stored
            .filter(|stored| is_published(stored, published))
            .and_then(|stored| Authority::of_bundle(&stored.authorities_pem).into_iter().next());
        let since = match (&self.settling, &newest) {
            (Some((of, since)), Some(newest)) if of == newest => *since,
            _ => steps,
        };
        self.settling = newest.map(|newest| (newest, since));
        Duration::from_secs(steps - since)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_shows_a_leaf_that_is_not_trusted(
        events in proptest::collection::vec(event(), 20..120),
    ) {
        let mut world = World::new();
        for (index, event) in events.iter().enumerate() {
            world.happen(*event);
            let is_trusted = world.is_trusted();
            world.harmed &= !(world.mended && is_trusted);
            prop_assert!(is_trusted || world.harmed, "after {index}: {event:?}");
        }
        // Left alone, they put everything right and come to rest.
        for round in 0..200 {
            world.happen(Event::Step(round % 2));
        }
        prop_assert!(world.is_trusted());
        let stored = world.secret.value.as_ref().unwrap();
        let published = Published::Bundles(vec![world.configuration.value.clone()]);
        let last = next(Some(stored), &published, SETTLE, &wanted(), world.now);
        prop_assert_eq!(last, Action::Nothing);
        prop_assert_eq!(stored.renew, None);
        let shown = world.shown.unwrap();
        let leaf = stored.leaf().unwrap();
        prop_assert_eq!(&leaf.certified_key().cert, &shown.certified_key().cert);
        prop_assert_eq!(shown.validity().state(world.now), ValidityState::Valid);
    }
}
