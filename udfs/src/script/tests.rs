use super::*;
use crate::privacy::id_card_valid;

#[test]
fn languages_by_script_and_model() {
    for (text, wanted) in [
        ("系统经常卡顿", "zh"),
        ("App 闪退", "zh"),
        ("iPhone 15 Pro Max 很好", "zh"),
        ("とても美味しいです", "ja"),
        ("배송이 너무 느려요", "ko"),
        ("The delivery was late and nobody answered", "en"),
        ("El envío fue muy lento y nadie contestó", "es"),
        ("La livraison était très lente", "fr"),
        ("Доставка была очень медленной", "ru"),
        ("Доставка була дуже повільною, їжа холодна", "uk"),
        ("Przesyłka dotarła późno, jakość słaba", "pl"),
        ("การจัดส่งช้ามาก", "th"),
        ("התשלום נכשל", "he"),
        ("התשלום", "he"),
        ("ערב טוב", "he"),
        ("12345", "und"),
        ("👍👍", "und"),
        ("", "und"),
        ("@user https://a.b/c", "und"),
    ] {
        assert_eq!(language(text), wanted, "{text}");
    }
}

#[test]
fn characters_convert_by_phrase() {
    assert_eq!(to_traditional("头发"), "頭髮");
    assert_eq!(to_traditional("发展"), "發展");
    assert_eq!(to_simplified("頭髮發展"), "头发发展");
    assert_eq!(to_simplified("Hello, 世界"), "Hello, 世界");
    assert_eq!(to_simplified(""), "");
}

#[test]
fn pinyin_reads_words() {
    assert_eq!(pinyin("重庆银行App"), "chong qing yin hang app");
    assert_eq!(pinyin("音乐很快乐"), "yin yue hen kuai le");
    assert_eq!(pinyin("绿女旅略"), "lv nv lv lve");
    assert_eq!(pinyin("长大了，长城很长"), "zhang da le chang cheng hen chang");
    assert_eq!(pinyin("ＡＢ12 你好!"), "ab12 ni hao");
    assert_eq!(pinyin("……"), "");
    assert_eq!(pinyin_initials("重庆银行"), "cqyh");
}

/// Every line of the word list has a syllable for each character.
#[test]
fn word_list_is_complete() {
    for line in include_str!("heteronyms.txt").lines().skip(1) {
        let parts: Vec<&str> = line.split(' ').collect();
        assert_eq!(parts[0].chars().count(), parts.len() - 1, "{line}");
        assert!(parts[1..].iter().all(|syllable| syllable.bytes().all(|b| b.is_ascii_lowercase())), "{line}");
    }
}

#[test]
fn names_agree_by_key() {
    let same = ["王小明", "王小明先生", "王曉明", "王小明(总经理)", " 王 小 明 ", "王晓明女士"];
    for name in same {
        assert_eq!(name_key(name).as_deref(), Some("wang xiaoming"), "{name}");
    }
    for (name, wanted) in [
        ("单田芳", "shan tianfang"),
        ("解晓东老师", "xie xiaodong"),
        ("尉迟恭", "yuchi gong"),
        ("欧阳娜娜", "ouyang nana"),
        ("李总", "li"),
        ("Mr. John O'Brien", "john o brien"),
        ("Ｊｏｈｎ Smith", "john smith"),
        ("Dr Müller-Lüdenscheid", "müller lüdenscheid"),
    ] {
        assert_eq!(name_key(name).as_deref(), Some(wanted), "{name}");
    }
    assert_eq!(name_key("…"), None);
}

#[test]
fn phones_become_e164() {
    let china = |text| phone_normalize(text, None);
    for text in [
        "13800138000",
        "+86 138 0013 8000",
        "0086-138-0013-8000",
        "86 13800138000",
        "１３８００１３８０００",
        "一三八零零一三八零零零",
        "手机：138-0013-8000",
    ] {
        assert_eq!(china(text).as_deref(), Some("+8613800138000"), "{text}");
    }
    for text in ["010-62345678", "(010)62345678", "+86 10 6234 5678", "0086 10 62345678", "010 62345678转801"]
    {
        assert_eq!(china(text).as_deref(), Some("+861062345678"), "{text}");
    }
    assert_eq!(china("400-810-8888").as_deref(), Some("+864008108888"));
    assert_eq!(china("+1 (415) 555-2671").as_deref(), Some("+14155552671"));
    assert_eq!(phone_normalize("(415) 555-2671", Some("us")).as_deref(), Some("+14155552671"));
    assert_eq!(phone_normalize("07911 123456", Some("GB")).as_deref(), Some("+447911123456"));
    assert_eq!(phone_normalize("+44 (0)20 7946 0958", None).as_deref(), Some("+442079460958"));
    for text in
        ["", "12345", "1380013800", "23800138000", "abc", "13800138000 或 13900139000", "2026-11-22", "+86"]
    {
        assert_eq!(china(text), None, "{text}");
    }
    assert_eq!(phone_normalize("13800138000", Some("XX")), None);
}

#[test]
fn mail_addresses_agree() {
    assert_eq!(email_normalize(" Wang.Lei+shop@GMAIL.com ").as_deref(), Some("wanglei@gmail.com"));
    assert_eq!(email_normalize("王磊 <wang.lei@163.com>").as_deref(), Some("wang.lei@163.com"));
    assert_eq!(email_normalize("ａ@ｂ．cn").as_deref(), Some("a@b.cn"));
    for text in ["", "@", "a@b", "a b@c.com", "a@-b.com", "a..b@c.com", "a@b.c1"] {
        assert_eq!(email_normalize(text), None, "{text}");
    }
}

#[test]
fn companies_agree() {
    for name in ["深圳市腾讯科技有限公司", "腾讯科技（深圳）有限公司", "騰訊科技有限公司"]
    {
        assert_eq!(company_key(name).as_deref(), Some("腾讯科技"), "{name}");
    }
    assert_eq!(company_key("The Coca-Cola Company, Inc.").as_deref(), Some("coca cola"));
    assert_eq!(company_key("中国银行股份有限公司").as_deref(), Some("银行"));
    assert_eq!(company_key("Group Ltd").as_deref(), Some("group ltd"));
    assert_eq!(company_key("--"), None);
}

#[test]
fn addresses_agree() {
    let keys = [
        "广东省深圳市南山区科技园路１２号３栋２单元５０１室",
        "深圳南山科技园路十二号3幢2单元501",
        "深圳市南山区科技园路12号3号楼2单元501室",
    ]
    .map(address_key);
    assert!(keys[0].is_some());
    assert_eq!(keys[0], keys[2]);
    assert_eq!(address_key("12 Oak Street, Apt. 5").as_deref(), Some("12 oak st apt 5"));
    assert_eq!(address_key("12 Oak St., Apartment 5").as_deref(), Some("12 oak st apt 5"));
    assert_eq!(address_key("，"), None);
}

#[test]
fn identity_numbers() {
    assert!(id_card_valid("11010519491231002X"));
    assert!(id_card_valid("11010519491231002x"));
    for number in [
        "110105194912310021",
        "11010519491331002X",
        "99010519491231002X",
        "1101051949123100",
        "",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519490229002X",
    ] {
        assert!(!id_card_valid(number), "{number}");
    }
}

/// Nothing panics and keys are stable: the key of a key of a name in Latin letters is itself.
#[test]
fn random_texts() {
    let alphabet: Vec<char> =
        "王李先生总(（)）+-.@0１一十百市区县路号栋室aZéß <>转x😀\u{200d}单解".chars().collect();
    let mut state = 3_u64;
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..(state >> 40) % 20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        assert!(name_key(&text).is_none_or(|key| !key.is_empty()));
        assert!(company_key(&text).is_none_or(|key| !key.is_empty()));
        assert!(address_key(&text).is_none_or(|key| !key.is_empty()));
        assert!(phone_normalize(&text, None).is_none_or(|number| number.starts_with('+')));
        assert!(email_normalize(&text).is_none_or(|mail| mail.contains('@')));
        assert!(!language(&text).is_empty());
        assert!(!pinyin(&text).contains("  "));
    }
}
