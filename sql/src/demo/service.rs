//! Service cases, memberships and programme costs: the operations beside orders.

use super::calendar::{self, DAY, END, HOUR, Second};
use super::dice::Dice;
use super::people::{self, Person};
use super::verbatims::Topic;

pub(super) struct Case {
    pub(super) opened_at: Second,
    first_response_at: Second,
    pub(super) closed_at: Option<Second>,
    reopened_at: Option<Second>,
    phone: String,
    topic: Option<Topic>,
    cost_cents: i64,
}

impl Case {
    pub(super) fn open(at: Second, topic: Option<Topic>, phone: String, dice: &mut Dice) -> Self {
        let opened_at = at + dice.between(60, 1_800);
        let first_response_at = opened_at + dice.between(600, 20 * HOUR);
        let closes_at = first_response_at + dice.between(HOUR, 6 * DAY);
        let closed_at = (closes_at < END && !dice.chance(0.03)).then_some(closes_at);
        let reopened_at = closed_at.map(|at| at + dice.between(HOUR, 3 * DAY)).filter(|_| dice.chance(0.06));
        let cost_cents = dice.between(600, 4_500);
        Case { opened_at, first_response_at, closed_at, reopened_at, phone, topic, cost_cents }
    }

    /// How the customer rates the handling, 1 to 5: every day of waiting costs a third of a point.
    pub(super) fn satisfaction(&self, closed_at: Second, dice: &mut Dice) -> i64 {
        let days = (closed_at - self.opened_at) as f64 / DAY as f64;
        ((4.8 - days / 3.0 + dice.normal() * 0.8 + 0.5).floor()).clamp(1.0, 5.0) as i64
    }

    fn status(&self) -> &'static str {
        match (self.closed_at, self.reopened_at) {
            (_, Some(_)) => "reopened",
            (Some(_), None) => "closed",
            (None, None) => "open",
        }
    }
}

pub(super) const CASES_HEADER: &[&str] = &[
    "case_no",
    "phone",
    "opened_at",
    "first_response_at",
    "closed_at",
    "reopened_at",
    "topic",
    "handling_cost",
    "status",
];

pub(super) fn case_rows(cases: &[Case]) -> Vec<Vec<String>> {
    let optional = |at: Option<Second>| at.map(calendar::instant).unwrap_or_default();
    let row = |(index, case): (usize, &Case)| {
        vec![
            format!("{:07}", index + 1),
            case.phone.clone(),
            calendar::instant(case.opened_at),
            calendar::instant(case.first_response_at),
            optional(case.closed_at),
            optional(case.reopened_at),
            case.topic.map_or("", Topic::name).to_owned(),
            yuan(case.cost_cents),
            case.status().to_owned(),
        ]
    };
    cases.iter().enumerate().map(row).collect()
}

pub(super) const SUBSCRIPTIONS_HEADER: &[&str] =
    &["sub_no", "account_type", "account", "plan", "started_on", "ended_on", "monthly_fee", "currency"];

/// Paid memberships of about one person in seven.
pub(super) fn subscription_rows(people: &[Person], dice: &mut Dice) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for person in people {
        if !dice.chance(0.14) {
            continue;
        }
        let started_at = person.joined_at + dice.between(0, 200 * DAY);
        let ended_at = started_at + dice.between(30 * DAY, 300 * DAY);
        let (plan, fee_cents) = dice.weighted(&[(("省心会员", 1_990), 7), (("省心会员Plus", 3_990), 3)]);
        let (account_type, account) = people::shop_key(person, dice);
        let ended = dice.chance(0.35) && ended_at < END;
        if started_at < END {
            rows.push(vec![
                format!("S{:06}", rows.len() + 1),
                account_type.to_owned(),
                account,
                plan.to_owned(),
                calendar::date(started_at),
                if ended { calendar::date(ended_at) } else { String::new() },
                yuan(fee_cents),
                "CNY".to_owned(),
            ]);
        }
    }
    rows
}

pub(super) const COSTS_HEADER: &[&str] = &["booking", "programme", "spent_on", "amount_yuan"];

/// What three programmes cost, booked on the first of a month.
pub(super) fn cost_rows(dice: &mut Dice) -> Vec<Vec<String>> {
    const PROGRAMMES: [(&str, usize, usize, i64); 3] = [
        ("packaging_upgrade", 6, 18, 8_000),
        ("hotline_training", 3, 9, 12_000),
        ("courier_switch", 16, 18, 30_000),
    ];
    let mut rows = Vec::new();
    for (programme, from, to, monthly_yuan) in PROGRAMMES {
        for month in from..to {
            rows.push(vec![
                format!("B{:05}", rows.len() + 1),
                programme.to_owned(),
                format!("{}-01", calendar::month_name(month)),
                yuan(monthly_yuan * 100 + dice.between(-90_000, 90_000)),
            ]);
        }
    }
    rows
}

fn yuan(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
