//! Orders: each person buys in a chain, and whether the last delivery was late decides how soon the next comes.

use super::calendar::{self, DAY, END, HOUR, LAST_QUARTER, START, Second};
use super::dice::Dice;
use super::people::{self, Courier, Person, WORSE_CITY, WORSE_COURIER};

/// Probability of another order within 90 days of a delivery, planted. On time it is the mean over the buyers'
/// opinions, see [`repurchase`].
pub(super) const REPURCHASE_ON_TIME: f64 = 0.52;
pub(super) const REPURCHASE_LATE: f64 = 0.31;
pub(super) const WINDOW_DAYS: i64 = 90;

/// Probability of a late delivery, planted: in an ordinary month, and from the worse courier in the last quarter.
const LATE: f64 = 0.13;
const LATE_WORSE: f64 = 0.48;

/// Probability that somebody who did not come back within 90 days comes back later.
const RETURNS_LATER: f64 = 0.74;

/// How the amount of the next order follows from what the person would have answered on the last one.
const PROMOTER_SPEND: f64 = 1.3;
const DETRACTOR_SPEND: f64 = 0.8;

pub(super) struct Order {
    /// Position in time order, also its number.
    pub(super) number: usize,
    pub(super) person: usize,
    pub(super) key: (&'static str, String),
    pub(super) ordered_at: Second,
    pub(super) promised_at: Second,
    pub(super) delivered_at: Option<Second>,
    pub(super) status: &'static str,
    pub(super) amount_cents: i64,
    pub(super) margin_cents: i64,
    pub(super) channel: &'static str,
    pub(super) product: &'static Product,
    pub(super) courier: Courier,
    /// What the buyer would answer after the delivery, 0 to 10 and 1 to 5.
    pub(super) nps: i64,
    pub(super) rating: i64,
}

impl Order {
    pub(super) fn id(&self) -> String {
        format!("{:010}", self.number + 1)
    }

    /// Seconds after the promised time; negative when early, NULL when not delivered.
    pub(super) fn delay(&self) -> Option<Second> {
        self.delivered_at.map(|at| at - self.promised_at)
    }

    pub(super) fn late(&self) -> bool {
        self.delay().is_some_and(|delay| delay > 0)
    }

    /// Whole days of the delay, at least 1 when late.
    pub(super) fn days_late(&self) -> i64 {
        self.delay().map_or(0, |delay| if delay > 0 { delay / DAY + 1 } else { 0 })
    }
}

pub(super) struct Product {
    pub(super) chinese: &'static str,
    pub(super) english: &'static str,
    pub(super) category: &'static str,
    price_yuan: i64,
}

const fn product(
    chinese: &'static str,
    english: &'static str,
    category: &'static str,
    price_yuan: i64,
) -> Product {
    Product { chinese, english, category, price_yuan }
}

static PRODUCTS: [Product; 24] = [
    product("保湿面霜", "face cream", "skincare", 168),
    product("氨基酸洁面乳", "face wash", "skincare", 79),
    product("防晒乳", "sunscreen", "skincare", 128),
    product("玻尿酸面膜", "sheet masks", "skincare", 99),
    product("每日坚果", "mixed nuts", "snacks", 89),
    product("冻干草莓", "freeze-dried strawberries", "snacks", 39),
    product("挂耳咖啡", "drip coffee bags", "snacks", 69),
    product("手工牛轧糖", "nougat", "snacks", 45),
    product("无线耳机", "wireless earbuds", "gadgets", 299),
    product("充电宝", "power bank", "gadgets", 139),
    product("机械键盘", "mechanical keyboard", "gadgets", 359),
    product("智能手环", "fitness band", "gadgets", 229),
    product("乳胶枕", "latex pillow", "home", 189),
    product("不粘锅", "non-stick pan", "home", 159),
    product("香薰加湿器", "humidifier", "home", 119),
    product("四件套", "bedding set", "home", 329),
    product("婴儿湿巾", "baby wipes", "baby", 49),
    product("儿童水杯", "kids' water bottle", "baby", 69),
    product("积木", "building blocks", "baby", 149),
    product("纸尿裤", "nappies", "baby", 129),
    product("纯棉T恤", "cotton T-shirt", "apparel", 79),
    product("运动鞋", "trainers", "apparel", 369),
    product("羽绒服", "down jacket", "apparel", 599),
    product("羊毛围巾", "wool scarf", "apparel", 159),
];

/// All orders in time order.
pub(super) fn generate(people: &[Person], dice: &mut Dice) -> Vec<Order> {
    let mut orders = Vec::new();
    for (index, person) in people.iter().enumerate() {
        chain(index, person, dice, &mut orders);
    }
    orders.sort_by_key(|order| (order.ordered_at, order.person));
    for (number, order) in orders.iter_mut().enumerate() {
        order.number = number;
    }
    orders
}

fn chain(index: usize, person: &Person, dice: &mut Dice, orders: &mut Vec<Order>) {
    let mut at = person.joined_at.max(START) + dice.between(0, 10 * DAY);
    let mut spend = 1.0;
    while at < END {
        if dice.chance(0.04) {
            // Cancelled within the hour and ordered again the next day.
            orders.push(cancelled(order(index, person, at, spend, dice)));
            at += DAY;
        }
        if at >= END {
            break;
        }
        let bought = order(index, person, at, spend, dice);
        let arrived = bought.delivered_at;
        spend = match bought.nps {
            9.. => PROMOTER_SPEND,
            ..=6 => DETRACTOR_SPEND,
            _ => 1.0,
        };
        let again = repurchase(&bought);
        orders.push(bought);
        let Some(arrived) = arrived else { break };
        if dice.chance(again) {
            at = arrived + dice.between(10 * DAY, 80 * DAY);
        } else if dice.chance(RETURNS_LATER) {
            at = arrived + dice.between(95 * DAY, 190 * DAY);
        } else {
            break;
        }
    }
}

/// After a late delivery opinion makes no difference; after one on time it does, evened out over all buyers.
fn repurchase(order: &Order) -> f64 {
    match (order.late(), order.nps) {
        (true, _) => REPURCHASE_LATE,
        (false, 9..) => REPURCHASE_ON_TIME + 0.05,
        (false, 7..=8) => REPURCHASE_ON_TIME - 0.03,
        (false, _) => REPURCHASE_ON_TIME - 0.1,
    }
}

fn order(index: usize, person: &Person, at: Second, spend: f64, dice: &mut Dice) -> Order {
    let courier = dice.weighted(person.city.couriers);
    let late = dice.chance(late_probability(person, courier, at));
    // Promised for eight in the evening of the third day.
    let promised_at = (at + 8 * HOUR).div_euclid(DAY) * DAY + 3 * DAY + 12 * HOUR;
    let arrives_at = if late {
        let tail = dice.unit() * dice.unit();
        promised_at + 5 * HOUR + (tail * 8.0 * DAY as f64) as Second
    } else {
        promised_at - dice.between(2 * HOUR, 44 * HOUR)
    };
    let days_late = if late { (arrives_at - promised_at) as f64 / DAY as f64 } else { 0.0 };
    let delivered_at = (arrives_at < END).then_some(arrives_at);
    let product = &PRODUCTS[dice.between(0, PRODUCTS.len() as i64 - 1) as usize];
    let amount_cents = (product.price_yuan as f64 * 100.0 * (0.75 + dice.unit() * 1.1) * spend) as i64;
    let key = people::shop_key(person, dice);
    let (nps, rating) = opinion(person, late, days_late, dice);
    Order {
        number: 0,
        person: index,
        channel: channel(&key, dice),
        key,
        ordered_at: at,
        promised_at,
        delivered_at,
        status: if delivered_at.is_some() { "delivered" } else { "shipped" },
        amount_cents,
        margin_cents: (amount_cents as f64 * (0.18 + dice.unit() * 0.2)) as i64,
        product,
        courier,
        nps,
        rating,
    }
}

fn cancelled(order: Order) -> Order {
    Order { delivered_at: None, status: "cancelled", ..order }
}

fn channel(key: &(&'static str, String), dice: &mut Dice) -> &'static str {
    match key.0 {
        "wechat_unionid" => "wechat",
        "phone" => "phone",
        _ => dice.weighted(&[("app", 70), ("web", 22), ("store", 8)]),
    }
}

/// Spring festival and the two shopping festivals strain every courier; one of them never recovers.
fn late_probability(person: &Person, courier: Courier, at: Second) -> f64 {
    if at >= LAST_QUARTER && courier == WORSE_COURIER && person.city.chinese == WORSE_CITY {
        return LATE_WORSE;
    }
    match calendar::month(at) {
        2 => LATE + 0.07,
        6 | 11 => LATE + 0.04,
        _ => LATE,
    }
}

/// A late delivery costs about three points of eleven, and one and a half stars of five.
fn opinion(person: &Person, late: bool, days_late: f64, dice: &mut Dice) -> (i64, i64) {
    let mood = person.kindness + dice.normal() * 0.9;
    let (mut nps, mut rating) = (8.6 + 1.5 * mood, 4.4 + 0.7 * mood);
    if late {
        nps -= 2.6 + 0.35 * days_late;
        rating -= 1.4 + 0.15 * days_late;
    }
    ((nps + 0.5).floor().clamp(0.0, 10.0) as i64, (rating + 0.5).floor().clamp(1.0, 5.0) as i64)
}
