//! What is known to be true of the generated data: the numbers that the warehouse's answers must find again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::{DAY, LAST_QUARTER, Second};
use super::feedback::{Feedback, Line};
use super::orders::{Order, REPURCHASE_LATE, REPURCHASE_ON_TIME, WINDOW_DAYS};
use super::people::{Person, WORSE_CITY, WORSE_COURIER};

/// A mean or a share, and the number of rows it is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    pub value: f64,
    pub n: u64,
}

/// The truths of one generated data set. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Persons, each to be found as one row of `c360.customers`.
    pub people: u64,
    /// Rows that must load, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Rows that must be rejected, by table.
    pub rejects: BTreeMap<&'static str, u64>,
    /// Share of late ones among delivered orders.
    pub late_share: Measured,
    /// Mean stars of reviews of orders delivered on time, and late.
    pub rating_on_time: Measured,
    pub rating_late: Measured,
    /// Probability planted that a delivery is followed by another order within 90 days.
    pub planted_repurchase_on_time: f64,
    pub planted_repurchase_late: f64,
    /// The share realised, over deliveries whose 90 days are fully observed.
    pub repurchase_on_time: Measured,
    pub repurchase_late: Measured,
    /// Net Promoter Score of all answers, -100 to 100.
    pub nps: Measured,
    /// Complaints by topic, the most frequent first.
    pub complaint_topics: Vec<(&'static str, u64)>,
    /// Where deliveries got worse in the second quarter of 2026, and the late share before and since.
    pub worse_city: &'static str,
    pub worse_courier: &'static str,
    pub worse_before: Measured,
    pub worse_since: Measured,
    /// Mean spend in yuan within 90 days after a person's first NPS answer, windows fully observed.
    pub promoter_spend: Measured,
    pub detractor_spend: Measured,
}

impl Truth {
    /// Everything but the row counts, which the files decide.
    pub(super) fn of(people: &[Person], orders: &[Order], feedback: &Feedback) -> Self {
        let history = History::of(people.len(), orders);
        let delivered = || orders.iter().filter(|order| order.delivered_at.is_some());
        let late_of = |orders: &mut dyn Iterator<Item = &Order>| share(orders.map(Order::late));
        let stars = |late: bool| {
            mean(feedback.reviews.iter().filter_map(|l| l.stars).filter(|s| s.1 == late).map(|s| s.0 as f64))
        };
        let watched = |order: &&Order| {
            order.courier == WORSE_COURIER && people[order.person].city.chinese == WORSE_CITY
        };
        Truth {
            people: people.len() as u64,
            rows: BTreeMap::new(),
            rejects: BTreeMap::new(),
            late_share: late_of(&mut delivered()),
            rating_on_time: stars(false),
            rating_late: stars(true),
            planted_repurchase_on_time: REPURCHASE_ON_TIME,
            planted_repurchase_late: REPURCHASE_LATE,
            repurchase_on_time: history.repurchase(orders, false),
            repurchase_late: history.repurchase(orders, true),
            nps: net_promoter_score(&feedback.surveys),
            complaint_topics: topics(&feedback.complaints),
            worse_city: WORSE_CITY,
            worse_courier: WORSE_COURIER.chinese(),
            worse_before: late_of(&mut delivered().filter(watched).filter(|o| o.ordered_at < LAST_QUARTER)),
            worse_since: late_of(&mut delivered().filter(watched).filter(|o| o.ordered_at >= LAST_QUARTER)),
            promoter_spend: history.spend(feedback, |score| score >= 9),
            detractor_spend: history.spend(feedback, |score| score <= 6),
        }
    }
}

/// What each person bought, cancelled orders left out.
struct History {
    purchases: Vec<Vec<(Second, i64)>>,
    observed_until: Second,
}

impl History {
    fn of(people: usize, orders: &[Order]) -> Self {
        let mut history = History { purchases: vec![Vec::new(); people], observed_until: Second::MIN };
        for order in orders.iter().filter(|order| order.status != "cancelled") {
            history.purchases[order.person].push((order.ordered_at, order.amount_cents));
            history.observed_until = history.observed_until.max(order.ordered_at);
        }
        history
    }

    /// Cents of each purchase in the 90 days after `at`; nothing when they are not fully observed.
    fn window(&self, person: usize, at: Second) -> Option<impl Iterator<Item = i64>> {
        let end = at + WINDOW_DAYS * DAY;
        let bought = self.purchases[person].iter();
        (end <= self.observed_until)
            .then(|| bought.filter(move |p| p.0 > at && p.0 <= end).map(|(_, cents)| *cents))
    }

    fn repurchase(&self, orders: &[Order], late: bool) -> Measured {
        let again = |order: &Order| {
            let mut window = self.window(order.person, order.delivered_at?)?;
            Some(window.next().is_some())
        };
        share(orders.iter().filter(|order| order.late() == late).filter_map(again))
    }

    fn spend(&self, feedback: &Feedback, band: impl Fn(i64) -> bool) -> Measured {
        let mut first: Vec<Option<&Line>> = vec![None; self.purchases.len()];
        for line in feedback.surveys.iter().filter(|line| line.nps.is_some()) {
            if let Some(person) = line.person {
                first[person].get_or_insert(line);
            }
        }
        let answers = first.iter().enumerate().filter_map(|(person, line)| Some((person, (*line)?)));
        let banded = answers.filter(|(_, line)| line.nps.is_some_and(&band));
        mean(banded.filter_map(|(person, line)| {
            let cents: i64 = self.window(person, line.at)?.sum();
            Some(cents as f64 / 100.0)
        }))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Measured {
    let (sum, n) = values.fold((0.0, 0u64), |(sum, n), value| (sum + value, n + 1));
    Measured { value: sum / n as f64, n }
}

fn share(events: impl Iterator<Item = bool>) -> Measured {
    mean(events.map(|event| if event { 1.0 } else { 0.0 }))
}

fn net_promoter_score(surveys: &[Line]) -> Measured {
    let value = |score: i64| match score {
        9.. => 100.0,
        7..=8 => 0.0,
        _ => -100.0,
    };
    mean(surveys.iter().filter_map(|line| line.nps).map(value))
}

fn topics(complaints: &[Line]) -> Vec<(&'static str, u64)> {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for topic in complaints.iter().filter_map(|line| line.topic) {
        *counts.entry(topic.name()).or_default() += 1;
    }
    let mut topics: Vec<_> = counts.into_iter().collect();
    topics.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    topics
}
