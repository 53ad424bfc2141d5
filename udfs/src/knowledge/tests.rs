use super::*;
use crate::opinions::tags::tags;
use crate::sentiment::Scorer;

fn word(word: &str, weight: Option<u64>) -> Word {
    Word { word: word.to_owned(), weight, tag: None }
}

fn cut(dictionary: &Dictionary, text: &str) -> Vec<String> {
    dictionary.jieba().cut(text, true).into_iter().map(|token| token.word.to_owned()).collect()
}

#[test]
fn a_word_is_kept_whole_and_its_order_and_doubles_do_not_matter() {
    let none = Dictionary::new(Vec::new());
    assert_eq!(none.version(), "jieba-0.11");
    assert!(cut(&none, "鲸选会员很划算").len() > 3);
    let one = Dictionary::new(vec![word("鲸选会员", None), word("划算卡", Some(9))]);
    assert_eq!(cut(&one, "鲸选会员很划算").first().map(String::as_str), Some("鲸选会员"));
    let other =
        Dictionary::new(vec![word("划算卡", Some(9)), word(" 鲸选会员 ", None), word("划算卡", Some(3))]);
    assert_eq!(one.version(), other.version());
    assert_ne!(one.version(), none.version());
    assert_ne!(
        one.version(),
        Dictionary::new(vec![word("鲸选会员", None), word("划算卡", Some(8))]).version()
    );
}

fn row(version: i64, tag: &str, include: &str) -> TaxonomyRow {
    TaxonomyRow {
        taxonomy: "mine".to_owned(),
        version,
        tag: tag.to_owned(),
        parent: Some("all".to_owned()),
        include: Some(include.to_owned()),
        exclude: None,
    }
}

#[test]
fn the_newest_version_is_in_force_and_older_ones_stay() {
    let taxonomies = Taxonomies::new(vec![row(1, "wait", "等"), row(2, "wait", "等 OR 排队")]);
    let newest = taxonomies.find("mine").expect("there");
    let hits = tags("排队太久", newest.taxonomy().expect("compiles"));
    assert_eq!(hits.first().map(|hit| (hit.tag, hit.parent, hit.rule)), Some(("wait", "all", "mine@2:wait")));
    let old = taxonomies.find("mine@1").expect("there");
    assert!(tags("排队太久", old.taxonomy().expect("compiles")).is_empty());
    assert!(newest.stamp.starts_with("2+") && old.stamp.starts_with("1+"));
    assert_eq!(taxonomies.find("hotel").expect("shipped").stamp, "shipped");
    assert_eq!(taxonomies.in_force().count(), 1);
    assert!(taxonomies.find("mine@3").is_err());
    assert!(
        taxonomies.find("yours").is_err_and(|error| error.hint.is_some_and(|hint| hint.contains("mine")))
    );
}

#[test]
fn an_edit_in_place_changes_the_stamp_and_a_wrong_query_names_tag_and_place() {
    let [before, after] = ["等", "等 OR 排队"].map(|query| Taxonomies::new(vec![row(1, "wait", query)]));
    assert_ne!(before.stamp_in_force(), after.stamp_in_force());
    assert_eq!(Taxonomies::new(Vec::new()).stamp_in_force(), "tags.1");
    let wrong = Taxonomies::new(vec![row(1, "wait", "等 AND (排队")]);
    let error = wrong.find("mine").expect("there").taxonomy().expect_err("open bracket");
    assert!(error.message.contains("tag \"wait\" of taxonomy \"mine@1\""), "{}", error.message);
    assert!(error.message.ends_with("leaves a bracket open at character 10"), "{}", error.message);
}

#[test]
fn an_aspect_is_counted_under_the_head_the_user_says() {
    let shipped = Aspects::new(Vec::new());
    assert_eq!(shipped.version(), "zh.model.1");
    let term = AspectTerm { word: "取货柜".to_owned(), aspect: "自提".to_owned() };
    let edited = Aspects::new(vec![term]);
    assert_eq!(edited.heads().of("取货柜"), "自提");
    assert_eq!(edited.heads().of("送货"), shipped.heads().of("送货"));
    assert_ne!(edited.version(), shipped.version());
}

#[test]
fn sentiment_learns_labels_and_tells_how_well() {
    let said = |text: &str, label: &str| (text.to_owned(), label.to_owned());
    let mut texts = Vec::new();
    for place in ["大厅", "柜台", "客房", "前台", "餐厅", "泳池", "车库", "花园", "电梯", "走廊"]
    {
        texts.push(said(&format!("{place}很赛博"), "positive"));
        texts.push(said(&format!("{place}太土味"), "negative"));
    }
    let trained = train_sentiment(&texts).expect("both labels");
    assert_eq!(trained.n_obs, 20);
    assert!(trained.accuracy_after.expect("enough texts") > trained.accuracy_before);
    let model = SentimentModel::stored(3, &trained.weights).expect("whole");
    assert!(model.version().starts_with("sentiment.1+3."));
    assert_eq!(model.score(&mut Scorer::new(), "阳台很赛博").label.name(), "positive");
    assert!(SentimentModel::stored(3, &trained.weights[1..]).is_err());
    assert!(train_sentiment(&[said("好", "great")]).is_err_and(|error| error.sqlstate() == "22023"));
}

#[test]
fn examples_teach_labels() {
    let example = |label: &str, text: &str| Example { label: label.to_owned(), text: text.to_owned() };
    let examples = Examples::new(vec![
        example("invoice", "发票抬头开错了"),
        example("invoice", "请问怎么开发票"),
        example("return", "我要退货退款"),
        example("return", "退货的运费谁出"),
    ]);
    let classifier = examples.classifier();
    let mut scorer = Scorer::new();
    assert_eq!(classifier.label(&mut scorer, "发票什么时候寄", |_| true), Some("invoice"));
    assert_eq!(classifier.label(&mut scorer, "怎么退货", |_| true), Some("return"));
    assert_eq!(classifier.label(&mut scorer, "怎么退货", |label| label == "invoice"), Some("invoice"));
    assert_eq!(classifier.label(&mut scorer, "", |_| true), None);
}

#[test]
fn what_says_the_same_is_not_replaced() {
    let taught = Taught::default();
    let before = taught.knowledge();
    taught.teach(Lesson::Aspects(Vec::new())).expect("rows are never wrong");
    assert!(Arc::ptr_eq(&before.aspects, &taught.knowledge().aspects));
}
