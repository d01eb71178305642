//! When a lane is loaded next.

use std::collections::{HashMap, HashSet};

use selvedge_spool::{Lane, Lsn, WaitingLane};
use selvedge_types::{AccountScope, DestinationId, Timestamp};

use super::LaneSettings;
use super::load::{Failure, Loaded, RouteEnd};

/// Minutes until a failed load is tried again: the first time, the second time, and so on; the last counts from then on.
const RETRY_MINUTES: [i64; 6] = [1, 2, 5, 10, 30, 30];
/// Until a lane looks again whether its source has got a destination.
const NO_DESTINATION_SECONDS: i64 = 5;

/// What is known of the lanes since the server started.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    lanes: HashMap<Lane, LaneAgenda>,
    /// Destinations that cannot be reached.
    destinations: HashMap<DestinationId, Blocked>,
}

/// A destination that its lanes wait for.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    retry: Retry,
    scope: AccountScope,
    /// When its settings were changed last, as the load that failed saw it.
    updated_at: Timestamp,
}

#[derive(Debug, Default)]
struct LaneAgenda {
    /// Up to here the last load has seen everything; what still waits up to here is held for its version's activation.
    seen: Lsn,
    held_records: u64,
    held_bytes: u64,
    /// When something beyond that was first noticed.
    noticed_at: Option<Timestamp>,
    /// Where the lane's data went the last time.
    destination: Option<DestinationId>,
    retry: Option<Retry>,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    failures: usize,
    at: Timestamp,
}

impl Retry {
    fn after(before: Option<Retry>, now: Timestamp) -> Self {
        let failures = before.map_or(0, |retry| retry.failures);
        let minutes = RETRY_MINUTES[failures.min(RETRY_MINUTES.len() - 1)];
        Self {
            failures: failures + 1,
            at: now.plus_seconds(60 * minutes),
        }
    }
}

impl Agenda {
    /// Forgets lanes in which nothing waits.
    pub(super) fn keep_only(&mut self, waiting: &[WaitingLane]) {
        if self.lanes.len() > waiting.len() {
            let there: HashSet<&Lane> = waiting.iter().map(|waiting| &waiting.lane).collect();
            self.lanes.retain(|lane, _| there.contains(lane));
        }
    }

    /// The lanes to load now, those that have waited longest first.
    pub(super) fn due<'a>(
        &mut self,
        waiting: &'a [WaitingLane],
        settings: &LaneSettings,
        now: Timestamp,
    ) -> Vec<&'a WaitingLane> {
        let mut due: Vec<&WaitingLane> = waiting
            .iter()
            .filter(|lane| self.is_due(lane, settings, now))
            .collect();
        due.sort_by_key(|lane| (lane.oldest_received_at, lane.first));
        due
    }

    fn is_due(&mut self, waiting: &WaitingLane, settings: &LaneSettings, now: Timestamp) -> bool {
        let lane = match self.lanes.get_mut(&waiting.lane) {
            Some(lane) => lane,
            None => self.lanes.entry(waiting.lane.clone()).or_default(),
        };
        if waiting.last <= lane.seen {
            return false;
        }
        // Nothing is held that was not looked at: then the log knows how long the oldest has waited.
        let since = *lane.noticed_at.get_or_insert(match lane.held_records {
            0 => waiting.oldest_received_at.min(now),
            _ => now,
        });
        let destination = waiting.lane.destination.or(lane.destination);
        let blocked = destination.and_then(|id| self.destinations.get(&id));
        let retries = [lane.retry, blocked.map(|blocked| blocked.retry)];
        if retries.iter().flatten().any(|retry| retry.at > now) {
            return false;
        }
        let waited = now.as_micros().saturating_sub(since.as_micros());
        waiting.urgent
            || waited >= i64::try_from(settings.load_after.as_micros()).unwrap_or(i64::MAX)
            || waiting.record_count.saturating_sub(lane.held_records) >= settings.load_records
            || waiting.byte_count.saturating_sub(lane.held_bytes) >= settings.load_bytes
    }

    /// Remembers how a load ended.
    pub(super) fn note(&mut self, key: &Lane, loaded: &Loaded, now: Timestamp) {
        let lane = self.lanes.entry(key.clone()).or_default();
        lane.noticed_at = None;
        let destination = loaded.route.map(|route| route.destination);
        lane.destination = destination.or(lane.destination);
        match loaded.failure {
            None => {
                lane.seen = loaded.seen;
                lane.held_records = loaded.held_records;
                lane.held_bytes = loaded.held_bytes;
                lane.retry = None;
                if let Some(destination) = destination {
                    self.destinations.remove(&destination);
                }
            }
            // It gets one at any time, and then nobody should have to wait long.
            Some(Failure::NoDestination) => {
                lane.retry = Some(Retry {
                    failures: 0,
                    at: now.plus_seconds(NO_DESTINATION_SECONDS),
                });
            }
            Some(failure) => {
                lane.retry = Some(Retry::after(lane.retry, now));
                if failure == Failure::Destination
                    && let Some(route) = loaded.route
                {
                    let before = self.destinations.get(&route.destination);
                    let before = before.map(|blocked| blocked.retry);
                    // One failure at a time: lanes that were under way fail together.
                    if before.is_none_or(|retry| retry.at <= now) {
                        let blocked = Blocked {
                            retry: Retry::after(before, now),
                            scope: route.scope,
                            updated_at: route.updated_at,
                        };
                        self.destinations.insert(route.destination, blocked);
                    }
                }
            }
        }
    }

    /// The destinations that lanes wait for, and when their settings were changed last, as far as is known here.
    pub(super) fn blocked(&self) -> Vec<RouteEnd> {
        let blocked = self.destinations.iter();
        blocked
            .map(|(destination, blocked)| RouteEnd {
                destination: *destination,
                scope: blocked.scope,
                updated_at: blocked.updated_at,
            })
            .collect()
    }

    /// Somebody has changed the destination's settings: what failed before says nothing any more.
    pub(super) fn forgive(&mut self, destination: DestinationId) {
        self.destinations.remove(&destination);
        for (key, lane) in &mut self.lanes {
            if key.destination.or(lane.destination) == Some(destination) {
                lane.retry = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use selvedge_types::{AccountId, SourceId};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(0).plus_seconds(1_000_000 + seconds)
    }

    fn waiting(table: &str, last: u64, received: i64) -> WaitingLane {
        WaitingLane {
            lane: Lane {
                source: SourceId(1),
                destination: Some(DestinationId(2)),
                table_name: Arc::from(table),
            },
            account: AccountId(3),
            part_count: 1,
            record_count: 10,
            byte_count: 1_000,
            oldest_received_at: at(received),
            urgent: false,
            first: Lsn(1),
            last: Lsn(last),
        }
    }

    fn is_due(agenda: &mut Agenda, lane: &WaitingLane, now: i64) -> bool {
        !agenda
            .due(
                std::slice::from_ref(lane),
                &LaneSettings::default(),
                at(now),
            )
            .is_empty()
    }

    fn succeeded(seen: u64) -> Loaded {
        Loaded {
            seen: Lsn(seen),
            route: Some(RouteEnd {
                destination: DestinationId(2),
                scope: AccountScope::of(AccountId(3)),
                updated_at: at(0),
            }),
            ..Loaded::default()
        }
    }

    fn failed(failure: Failure) -> Loaded {
        Loaded {
            failure: Some(failure),
            ..succeeded(0)
        }
    }

    #[test]
    fn a_lane_is_due_by_age_records_bytes_or_urgency() {
        let mut agenda = Agenda::default();
        let quiet = waiting("t", 1, 0);
        assert!(!is_due(&mut agenda, &quiet, 59));
        assert!(is_due(&mut agenda, &quiet, 60));
        let many = WaitingLane {
            record_count: 100_000,
            ..waiting("many", 1, 0)
        };
        assert!(is_due(&mut agenda, &many, 0));
        let large = WaitingLane {
            byte_count: 100 << 20,
            ..waiting("large", 1, 0)
        };
        assert!(is_due(&mut agenda, &large, 0));
        let urgent = WaitingLane {
            urgent: true,
            ..waiting("urgent", 1, 0)
        };
        assert!(is_due(&mut agenda, &urgent, 0));
    }

    #[test]
    fn what_is_held_does_not_make_a_lane_due() {
        let mut agenda = Agenda::default();
        let held = WaitingLane {
            record_count: 200_000,
            urgent: true,
            ..waiting("t", 9, 0)
        };
        assert!(is_due(&mut agenda, &held, 0));
        let loaded = Loaded {
            held_records: 200_000,
            ..succeeded(9)
        };
        agenda.note(&held.lane, &loaded, at(1));
        assert!(!is_due(&mut agenda, &held, 10_000), "nothing new has come");
        let more = WaitingLane {
            record_count: 200_001,
            urgent: false,
            last: Lsn(10),
            ..held
        };
        assert!(!is_due(&mut agenda, &more, 20_000));
        assert!(
            is_due(&mut agenda, &more, 20_060),
            "the new record has waited"
        );
    }

    #[test]
    fn failed_loads_are_tried_again_later_and_later() {
        let mut agenda = Agenda::default();
        let lane = waiting("t", 1, 0);
        let mut now = 60;
        for minutes in [1, 2, 5, 10, 30, 30, 30] {
            assert!(is_due(&mut agenda, &lane, now));
            agenda.note(&lane.lane, &failed(Failure::Table), at(now));
            assert!(!is_due(&mut agenda, &lane, now + 60 * minutes - 1));
            now += 60 * minutes;
        }
        agenda.note(&lane.lane, &succeeded(1), at(now));
        let more = waiting("t", 2, now);
        assert!(is_due(&mut agenda, &more, now + 60), "success starts over");
    }

    #[test]
    fn a_destination_whose_settings_were_changed_is_tried_at_once() {
        let mut agenda = Agenda::default();
        let lane = waiting("t", 1, 0);
        for now in [60, 120, 240] {
            agenda.note(&lane.lane, &failed(Failure::Destination), at(now));
        }
        assert!(!is_due(&mut agenda, &lane, 300));
        let blocked = agenda.blocked();
        assert_eq!((blocked.len(), blocked[0].updated_at), (1, at(0)));
        agenda.forgive(DestinationId(2));
        assert!(is_due(&mut agenda, &lane, 300));
        assert!(agenda.blocked().is_empty());
    }

    #[test]
    fn a_lane_without_a_destination_looks_again_soon() {
        let mut agenda = Agenda::default();
        let lane = waiting("t", 1, 0);
        let nowhere = Loaded {
            failure: Some(Failure::NoDestination),
            ..Loaded::default()
        };
        for now in [60, 70, 80] {
            assert!(is_due(&mut agenda, &lane, now));
            agenda.note(&lane.lane, &nowhere, at(now));
            assert!(!is_due(&mut agenda, &lane, now + 4));
        }
    }

    #[test]
    fn a_destination_that_is_away_keeps_all_its_lanes_waiting() {
        let mut agenda = Agenda::default();
        let (one, other) = (waiting("one", 1, 0), waiting("other", 2, 0));
        agenda.note(&one.lane, &failed(Failure::Destination), at(60));
        agenda.note(&other.lane, &failed(Failure::Table), at(60));
        assert!(!is_due(&mut agenda, &waiting("third", 3, 0), 119));
        assert!(is_due(&mut agenda, &waiting("third", 3, 0), 120));
        agenda.note(&one.lane, &failed(Failure::Table), at(120));
        assert!(
            is_due(&mut agenda, &waiting("third", 3, 0), 121),
            "a table's error blocks no other"
        );
    }
}
