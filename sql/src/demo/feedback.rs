//! What people say: surveys, reviews, complaints, chats and posts, each in the shape its own system exports.

use serde_json::{Value, json};

use super::calendar::{self, DAY, END, HOUR, Second};
use super::dice::Dice;
use super::orders::Order;
use super::people::{self, Person};
use super::service::Case;
use super::verbatims::{self, Polarity, Slots, Topic};

/// One exported line, with what the truths are computed from.
pub(super) struct Line {
    pub(super) at: Second,
    pub(super) json: Value,
    /// Answer to the recommendation question.
    pub(super) nps: Option<i64>,
    /// Topic of a complaint.
    pub(super) topic: Option<Topic>,
    /// Stars of a review, and whether its order came late.
    pub(super) stars: Option<(i64, bool)>,
    /// The person who said it, unless nobody is named.
    pub(super) person: Option<usize>,
}

/// The feedback of each exporting system, in time order.
#[derive(Default)]
pub(super) struct Feedback {
    pub(super) surveys: Vec<Line>,
    pub(super) reviews: Vec<Line>,
    pub(super) complaints: Vec<Line>,
    pub(super) chats: Vec<Line>,
    pub(super) posts: Vec<Line>,
    /// The service cases that complaints open.
    pub(super) cases: Vec<Case>,
}

impl Feedback {
    pub(super) fn sources(&mut self) -> [&mut Vec<Line>; 5] {
        [&mut self.surveys, &mut self.reviews, &mut self.complaints, &mut self.chats, &mut self.posts]
    }
}

pub(super) fn generate(people: &[Person], orders: &[Order], dice: &mut Dice) -> Feedback {
    let mut feedback = Feedback::default();
    for order in orders {
        let person = &people[order.person];
        let about = About { order, person };
        if let Some(delivered_at) = order.delivered_at {
            about.after_delivery(delivered_at, &mut feedback, dice);
        }
        if dice.chance(0.1) {
            let at = order.ordered_at + dice.between(HOUR, 6 * DAY);
            about.chat(at, &mut feedback, dice);
        }
    }
    for lines in feedback.sources() {
        lines.retain(|line| line.at < END);
        lines.sort_by_key(|line| line.at);
        number(lines);
    }
    feedback.cases.retain(|case| case.opened_at < END);
    feedback.cases.sort_by_key(|case| case.opened_at);
    feedback
}

/// Gives every line the identifier its system would: the first field, in time order.
fn number(lines: &mut [Line]) {
    for (index, line) in lines.iter_mut().enumerate() {
        if let Some(first) = line.json.as_object_mut().and_then(|fields| fields.values_mut().next()) {
            let prefix = first.as_str().unwrap_or_default().to_owned();
            *first = json!(format!("{prefix}{:08}", index + 1));
        }
    }
}

struct About<'a> {
    order: &'a Order,
    person: &'a Person,
}

impl About<'_> {
    fn after_delivery(&self, delivered_at: Second, feedback: &mut Feedback, dice: &mut Dice) {
        let order = self.order;
        if dice.chance(0.23) {
            let at = delivered_at + dice.between(4 * HOUR, 6 * DAY);
            feedback.surveys.push(self.survey(at, dice));
        }
        if dice.chance(0.26) {
            let at = delivered_at + dice.between(2 * HOUR, 12 * DAY);
            feedback.reviews.push(self.review(at, dice));
        }
        let complains = match (order.late(), order.rating) {
            (true, _) => 0.2,
            (false, ..=3) => 0.16,
            (false, _) => 0.012,
        };
        if dice.chance(complains) {
            let at = delivered_at + dice.between(HOUR, 5 * DAY);
            let complaint = self.complaint(at, dice);
            if dice.chance(0.75) {
                self.case(at, complaint.topic, feedback, dice);
            }
            feedback.complaints.push(complaint);
        }
        if dice.chance(0.045) {
            let at = delivered_at + dice.between(HOUR, 9 * DAY);
            feedback.posts.push(self.post(at, dice));
        }
    }

    fn survey(&self, at: Second, dice: &mut Dice) -> Line {
        // A few open the questionnaire, write something and leave the scale untouched.
        let answer = (!dice.chance(0.02)).then_some(self.order.nps);
        let polarity = match self.order.nps {
            8.. => Polarity::Positive,
            _ => Polarity::Negative,
        };
        let verbatim = dice.chance(0.72).then(|| self.verbatim(polarity, dice));
        let (key_type, key_value) = people::shop_key(self.person, dice);
        let json = json!({
            "response_id": "R",
            "question": "nps",
            "answer": answer,
            "verbatim": verbatim,
            "lang": self.language(),
            "respondent_type": key_type,
            "respondent": key_value,
            "order_no": self.order.id(),
            "channel": dice.weighted(&[("wechat", 55), ("sms", 30), ("email", 15)]),
            "answered_at": calendar::instant(at),
            "meta": {
                "device": dice.weighted(&[("ios", 45), ("android", 50), ("desktop", 5)]),
                "seconds": dice.between(8, 240),
            },
        });
        Line { at, json, nps: answer, topic: None, stars: None, person: Some(self.order.person) }
    }

    fn review(&self, at: Second, dice: &mut Dice) -> Line {
        let order = self.order;
        let by_default = !order.late() && dice.chance(0.08);
        let (stars, text) = if by_default {
            (5, Some(verbatims::default_review(self.person.chinese)))
        } else {
            let polarity = if order.rating >= 4 { Polarity::Positive } else { Polarity::Negative };
            (order.rating, dice.chance(0.9).then(|| self.verbatim(polarity, dice)))
        };
        let json = json!({
            "review_id": "V",
            "order_no": order.id(),
            "stars": stars,
            "text": text,
            "lang": self.language(),
            "posted_at": calendar::instant(at),
            "extra": { "default": by_default, "pictures": dice.between(0, 3), "useful_votes": dice.between(0, 9) },
        });
        Line {
            at,
            json,
            nps: None,
            topic: None,
            stars: Some((stars, order.late())),
            person: Some(order.person),
        }
    }

    fn complaint(&self, at: Second, dice: &mut Dice) -> Line {
        let topic = self.complaint_topic(dice);
        let json = json!({
            "ticket": "T",
            "caller": people::written_phone(&self.person.phone, dice),
            "topic": topic.name(),
            "said": verbatims::write(topic, Polarity::Negative, &self.slots(dice), dice),
            "lang": self.language(),
            "order_no": self.order.id(),
            "via": dice.weighted(&[("phone", 60), ("wechat", 25), ("email", 15)]),
            "created_at": calendar::instant(at),
            "severity": dice.between(1, 3),
        });
        Line { at, json, nps: None, topic: Some(topic), stars: None, person: Some(self.order.person) }
    }

    /// The case a complaint opens, and now and then the question how it was handled.
    fn case(&self, at: Second, topic: Option<Topic>, feedback: &mut Feedback, dice: &mut Dice) {
        let case = Case::open(at, topic, people::written_phone(&self.person.phone, dice), dice);
        if let (Some(closed_at), true) = (case.closed_at, dice.chance(0.4)) {
            let satisfied = case.satisfaction(closed_at, dice);
            feedback.surveys.push(self.case_survey(closed_at + dice.between(HOUR, 2 * DAY), satisfied, dice));
        }
        feedback.cases.push(case);
    }

    fn case_survey(&self, at: Second, answer: i64, dice: &mut Dice) -> Line {
        let polarity = if answer >= 4 { Polarity::Positive } else { Polarity::Negative };
        let said = verbatims::write(Topic::Service, polarity, &self.slots(dice), dice);
        let json = json!({
            "response_id": "R",
            "question": "csat",
            "answer": answer,
            "verbatim": dice.chance(0.4).then_some(said),
            "lang": self.language(),
            "respondent_type": "phone",
            "respondent": people::written_phone(&self.person.phone, dice),
            "order_no": self.order.id(),
            "channel": "sms",
            "answered_at": calendar::instant(at),
            "meta": { "device": "phone", "seconds": dice.between(3, 60) },
        });
        Line { at, json, nps: None, topic: None, stars: None, person: Some(self.order.person) }
    }

    fn chat(&self, at: Second, feedback: &mut Feedback, dice: &mut Dice) {
        let Some((openid, _)) = &self.person.wechat else { return };
        let overdue = self.order.late() && at > self.order.promised_at;
        let polarity = if overdue { Polarity::Negative } else { Polarity::Neutral };
        let topic = if overdue { Topic::Delivery } else { any_topic(dice) };
        let json = json!({
            "chat_id": "C",
            "openid": openid,
            "message": verbatims::write(topic, polarity, &self.slots(dice), dice),
            "lang": self.language(),
            "sent_at": calendar::instant(at),
            "agent": dice.weighted(&[("bot", 70), ("human", 30)]),
        });
        feedback.chats.push(Line {
            at,
            json,
            nps: None,
            topic: None,
            stars: None,
            person: Some(self.order.person),
        });
    }

    /// Posts name nobody: they have no key and link to no customer.
    fn post(&self, at: Second, dice: &mut Dice) -> Line {
        let polarity = if self.order.rating >= 4 { Polarity::Positive } else { Polarity::Negative };
        let json = json!({
            "post_id": "P",
            "platform": dice.weighted(&[("weibo", 50), ("xiaohongshu", 40), ("x", 10)]),
            "text": self.verbatim(polarity, dice),
            "lang": self.language(),
            "posted_at": calendar::instant(at),
            "likes": dice.between(0, 400),
        });
        Line { at, json, nps: None, topic: None, stars: None, person: None }
    }

    fn language(&self) -> &'static str {
        if self.person.chinese { "zh" } else { "en" }
    }

    fn verbatim(&self, polarity: Polarity, dice: &mut Dice) -> String {
        let topic = match polarity {
            Polarity::Negative if self.order.late() && dice.chance(0.8) => Topic::Delivery,
            Polarity::Negative => fault(dice),
            _ => merit(dice),
        };
        verbatims::write(topic, polarity, &self.slots(dice), dice)
    }

    fn complaint_topic(&self, dice: &mut Dice) -> Topic {
        if self.order.late() && dice.chance(0.85) { Topic::Delivery } else { fault(dice) }
    }

    fn slots(&self, dice: &mut Dice) -> Slots<'_> {
        let (order, person) = (self.order, self.person);
        let days = if order.late() { order.days_late() } else { dice.between(2, 4) };
        if person.chinese {
            let (product, city, courier) =
                (order.product.chinese, person.city.chinese, order.courier.chinese());
            Slots { chinese: true, product, city, courier, days }
        } else {
            let (product, city, courier) =
                (order.product.english, person.city.english, order.courier.english());
            Slots { chinese: false, product, city, courier, days }
        }
    }
}

/// What goes wrong when the delivery did not.
fn fault(dice: &mut Dice) -> Topic {
    dice.weighted(&[
        (Topic::Quality, 32),
        (Topic::Service, 20),
        (Topic::Packaging, 16),
        (Topic::Refund, 12),
        (Topic::Price, 8),
        (Topic::App, 7),
        (Topic::Invoice, 5),
    ])
}

fn merit(dice: &mut Dice) -> Topic {
    dice.weighted(&[
        (Topic::Quality, 34),
        (Topic::Delivery, 20),
        (Topic::Service, 15),
        (Topic::Price, 14),
        (Topic::Packaging, 10),
        (Topic::App, 4),
        (Topic::Refund, 2),
        (Topic::Invoice, 1),
    ])
}

fn any_topic(dice: &mut Dice) -> Topic {
    dice.pick(&[
        Topic::Delivery,
        Topic::Delivery,
        Topic::Quality,
        Topic::Price,
        Topic::Service,
        Topic::App,
        Topic::Refund,
        Topic::Invoice,
        Topic::Packaging,
    ])
}
