//! English sentence patterns.

use super::Pattern;
use super::Polarity::{Negative as N, Neutral as Q, Positive as P};
use super::Topic::*;

pub(super) const PATTERNS: &[Pattern] = &[
    Pattern(Delivery, N, "[Promised|Was told] three days, the {product} came {days} days late"),
    Pattern(
        Delivery,
        N,
        "{courier} [is getting slower and slower|left my parcel sitting in the depot], [no update at all|nobody picks up the phone]",
    ),
    Pattern(
        Delivery,
        N,
        "Delivery was [badly delayed|very slow] and [nobody told me why|the tracking never moved]",
    ),
    Pattern(
        Delivery,
        N,
        "The courier [dumped it at the gate|never rang the bell], [really disappointing|terrible experience]",
    ),
    Pattern(
        Delivery,
        N,
        "Still waiting after {days} days, [the app says delivered|support keeps saying be patient]",
    ),
    Pattern(Delivery, N, "Deliveries in {city} have been [awful|late every time] [lately|these past weeks]"),
    Pattern(
        Delivery,
        P,
        "[Super fast|Very quick] delivery, [ordered yesterday and it is here|a day earlier than promised]",
    ),
    Pattern(
        Delivery,
        P,
        "{courier} was [polite|very friendly] and [carried it upstairs|called before coming]",
    ),
    Pattern(Delivery, P, "Arrived [on time|right on schedule] as always"),
    Pattern(
        Delivery,
        Q,
        "[Where is|When will I get] my {product}? [Could you check please|Tracking has not moved]",
    ),
    Pattern(Delivery, Q, "Can I [change the address|collect it myself]? I am not in {city} this week"),
    Pattern(Packaging, N, "Packaging was [flimsy|completely crushed], the {product} [leaked|arrived dented]"),
    Pattern(
        Packaging,
        N,
        "[Broken glass inside|The bottle was cracked], [not even bubble wrap|zero care taken]",
    ),
    Pattern(Packaging, N, "Far too much packaging for one small {product}, [what a waste|not very green]"),
    Pattern(
        Packaging,
        N,
        "One part was [missing from the box|not in the parcel], [the seal looked opened|had to ask twice]",
    ),
    Pattern(
        Packaging,
        P,
        "[Beautifully|Carefully] packed, the {product} was [in perfect shape|well protected]",
    ),
    Pattern(Packaging, P, "Love the [gift box|recyclable box], [made a great present|nice touch]"),
    Pattern(Packaging, Q, "Does the {product} come in a gift box?"),
    Pattern(
        Quality,
        N,
        "The {product} [broke after two days|feels cheap], [nothing like the pictures|poor workmanship]",
    ),
    Pattern(Quality, N, "[Bad smell|Strange taste], [I doubt it is genuine|it gave me a rash]"),
    Pattern(Quality, N, "Bought the {product} again and the quality has [clearly dropped|gone downhill]"),
    Pattern(
        Quality,
        N,
        "[Scratched|Stained] right out of the box, [looks second hand|how did this pass inspection]",
    ),
    Pattern(
        Quality,
        N,
        "The {product} was [close to its expiry date|the wrong size], [useless to me|not acceptable]",
    ),
    Pattern(Quality, P, "[Great|Excellent] quality {product}, [exactly as described|better than I expected]"),
    Pattern(Quality, P, "My [third|fifth] {product} and it is [as good as ever|still the best]"),
    Pattern(Quality, P, "Used it for a week, [works perfectly|can really recommend it]"),
    Pattern(Quality, P, "The kids [love it|will not put it down], [no smell at all|very well made]"),
    Pattern(Quality, Q, "[How do I clean|Is there a larger size of] the {product}?"),
    Pattern(
        Price,
        N,
        "The price dropped by {price} yuan the day after I bought it, [no price match offered|feels like a rip-off]",
    ),
    Pattern(
        Price,
        N,
        "[Overpriced|Getting more expensive every month], [{price} yuan cheaper elsewhere|the coupon never works]",
    ),
    Pattern(
        Price,
        N,
        "The discount rules are [impossible to understand|a maze], [gave up in the end|hardly saved anything]",
    ),
    Pattern(Price, P, "[Great value|Very fair price], {price} yuan less than in the shops"),
    Pattern(
        Price,
        P,
        "[Good deal|Bargain] during the sale, [bought three|paid only {price} yuan with a coupon]",
    ),
    Pattern(Price, Q, "Any [offers|discount] on the {product} soon?"),
    Pattern(
        Service,
        N,
        "Customer service was [rude|useless], [passed from one to the next|waited forever for a reply]",
    ),
    Pattern(Service, N, "[Called three times|Forty minutes on hold], {agent} [could not help|was impatient]"),
    Pattern(
        Service,
        N,
        "The bot [goes in circles|does not understand anything], [no way to reach a person|so frustrating]",
    ),
    Pattern(Service, N, "They promised to call back and [never did|nobody followed up]"),
    Pattern(Service, P, "{agent} was [patient|so helpful] and [fixed it at once|explained everything]"),
    Pattern(
        Service,
        P,
        "[Excellent|Lovely] service, [they even called to follow up|a real person who cares]",
    ),
    Pattern(Service, Q, "[Hello|Hi], [can I talk to a person|when does support open]?"),
    Pattern(
        App,
        N,
        "The mini program [keeps crashing|is painfully slow], [stuck at payment|my basket was emptied]",
    ),
    Pattern(
        App,
        N,
        "Since the update I [cannot log in|cannot find my orders], [no code arrives|worse than before]",
    ),
    Pattern(App, N, "Checkout [shows an error every time|froze], [charged me twice|I gave up]"),
    Pattern(App, P, "The app is [smooth|easy to use], [ordering takes seconds|clear order status]"),
    Pattern(App, Q, "[How|Where] do I change my [phone number|default address|password]?"),
    Pattern(
        Refund,
        N,
        "Refund [pending for {days} days|still under review], [nobody can tell me when|this is unacceptable]",
    ),
    Pattern(Refund, N, "Had to pay return shipping [for your mistake|although the {product} was faulty]"),
    Pattern(Refund, N, "Refunded {price} yuan too little, [no explanation|the numbers do not add up]"),
    Pattern(Refund, P, "[Instant|Painless] refund, [no questions asked|money back the same day]"),
    Pattern(Refund, P, "Exchange was [simple|quick], [picked up at my door|new one came the next day]"),
    Pattern(Refund, Q, "Can I [return|exchange] the {product} within seven days?"),
    Pattern(
        Invoice,
        N,
        "The invoice [has the wrong company name|never came], [asked {days} times|cannot claim my expenses]",
    ),
    Pattern(Invoice, P, "Invoice [came with the order|was ready at once], [very handy|easy expenses]"),
    Pattern(Invoice, Q, "[Can you|How can I] get an invoice [for my company|with a tax number]?"),
];

pub(super) const OPENERS: &[&str] = &[
    "",
    "",
    "",
    "",
    "Honestly, ",
    "Long-time customer here: ",
    "First order with them. ",
    "To be fair, ",
    "Well, ",
    "A friend recommended this. ",
    "Bought it for my family. ",
];

pub(super) const CLOSERS_POSITIVE: &[&str] = &[
    "",
    "",
    ".",
    "!",
    "!!",
    ", will buy again",
    " 👍",
    " 😊",
    ". Thank you!",
    ". Highly recommended",
    " :)",
];

pub(super) const CLOSERS_NEGATIVE: &[&str] =
    &["", "", ".", "!", "!!!", ", please fix this", " 😡", "...", ". Never again", " 👎", ". Not happy"];

pub(super) const CLOSERS_NEUTRAL: &[&str] = &["", "", " Thanks", " Thank you!", " 🙏", " Cheers"];

/// What the shop writes when a buyer leaves the form empty.
pub(super) const DEFAULT_REVIEW: &str = "No text left by the buyer, rated five stars by default";
