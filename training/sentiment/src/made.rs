//! Sentences that the trainer makes itself: what reviews seldom say plainly (negation of blame, concession,
//! irony, complaints about services) and questions that judge nothing.

use crate::solver::Dice;
use crate::sources::Gold;

const THINGS: [&str; 44] = [
    "信号",
    "网络",
    "客服",
    "物流",
    "包装",
    "味道",
    "房间",
    "系统",
    "界面",
    "价格",
    "屏幕",
    "电池",
    "柜员",
    "服务",
    "快递",
    "流程",
    "页面",
    "软件",
    "账单",
    "套餐",
    "宽带",
    "售后",
    "前台",
    "早餐",
    "课程",
    "老师",
    "质量",
    "速度",
    "态度",
    "环境",
    "师傅",
    "手续",
    "音质",
    "面料",
    "退款",
    "小程序",
    "发货",
    "电话",
    "材质",
    "菜",
    "位置",
    "空调",
    "登录",
    "支付",
];
const GOOD: [&str; 32] = [
    "快", "好", "干净", "热情", "耐心", "清楚", "方便", "新鲜", "好吃", "流畅", "稳定", "便宜", "舒服",
    "专业", "及时", "满意", "漂亮", "安静", "实用", "准时", "顺畅", "贴心", "细致", "准确", "省心", "划算",
    "好用", "清晰", "周到", "负责", "到位", "靠谱",
];
const BAD: [&str; 28] = [
    "慢",
    "差",
    "脏",
    "冷淡",
    "粗鲁",
    "卡",
    "贵",
    "难吃",
    "吵",
    "复杂",
    "麻烦",
    "混乱",
    "敷衍",
    "难用",
    "模糊",
    "拖拉",
    "糟糕",
    "烂",
    "油腻",
    "陈旧",
    "迟钝",
    "马虎",
    "离谱",
    "丑",
    "恶劣",
    "不专业",
    "不耐心",
    "坑人",
];
const EVENTS: [&str; 18] = [
    "断网",
    "掉线",
    "死机",
    "送错",
    "漏发",
    "乱扣费",
    "报错",
    "闪退",
    "卡死",
    "断线",
    "超时",
    "推脱",
    "涨价",
    "没人接",
    "打不开",
    "没反应",
    "白等一天",
    "被挂电话",
];
const VERBS: [&str; 14] = [
    "办理", "修改", "查询", "取消", "预订", "开通", "申请", "设置", "绑定", "下载", "打印", "领取", "升级",
    "更换",
];
const OBJECTS: [&str; 20] = [
    "订单",
    "发票",
    "密码",
    "地址",
    "会员",
    "套餐",
    "酒店",
    "余额",
    "积分",
    "流量",
    "账户",
    "优惠券",
    "快递",
    "门票",
    "航班",
    "地铁站",
    "餐厅",
    "停车场",
    "银行卡",
    "合同",
];

/// Patterns: `T` is a thing, `U` another, `G` good, `B` bad, `E` an event, `V` a verb, `O` an object.
const PRAISE: [&str; 22] = [
    "T很G",
    "T非常G",
    "T挺G的",
    "T特别G",
    "T一点都不B",
    "T一点也不B",
    "T并不B",
    "T不算B",
    "没觉得TB",
    "T没有B的感觉",
    "T从来没有B过",
    "没有不G的地方",
    "T不B",
    "虽然TB，但是U很G",
    "虽然T有点B，但U真的G",
    "TB是B了点，不过U非常G",
    "T比以前G多了",
    "T越来越G",
    "T又G又不B",
    "T没有E过",
    "从没E",
    "T再也不E了",
];
const BLAME: [&str; 30] = [
    "T很B",
    "T太B了",
    "T有点B",
    "T越来越B",
    "TB",
    "T不G",
    "T不太G",
    "T不够G",
    "T一点都不G",
    "T一点也不G",
    "T没有想象中G",
    "T没以前G了",
    "T根本不G",
    "T谈不上G",
    "虽然TG，但是U太B",
    "T还算G，不过U非常B",
    "T要是G一点就好了",
    "呵呵，这就是所谓的G的T",
    "呵呵，T可真G",
    "太好了，又E了",
    "真是服了，T又E",
    "T经常E",
    "T又E了",
    "T老是E",
    "三天两头E",
    "T总是E，太B了",
    "动不动就E",
    "谢谢你们又让我E",
    "T居然E",
    "花钱买B",
];
const ASKED: [&str; 20] = [
    "请问怎么VO",
    "怎么VO？",
    "在哪里VO？",
    "我想VO",
    "帮我VO一下O",
    "VO需要什么材料？",
    "附近有O吗？",
    "O几点开始？",
    "O多少钱？",
    "请问有没有O？",
    "O在哪？",
    "能VO吗？",
    "你好，我要VO",
    "什么时候可以VO？",
    "O的电话是多少？",
    "VO要多久？",
    "想问一下O怎么V",
    "有O吗",
    "明天的O可以V吗",
    "T的O是哪个？",
];

const EN_THINGS: [&str; 16] = [
    "the service",
    "the food",
    "the staff",
    "the app",
    "the delivery",
    "my order",
    "the room",
    "the website",
    "support",
    "the agent",
    "the flight",
    "the price",
    "the product",
    "the battery",
    "the connection",
    "check-in",
];
const EN_GOOD: [&str; 20] = [
    "good",
    "great",
    "excellent",
    "fast",
    "friendly",
    "helpful",
    "clean",
    "easy",
    "reliable",
    "amazing",
    "comfortable",
    "wonderful",
    "polite",
    "smooth",
    "perfect",
    "quick",
    "fair",
    "lovely",
    "pleasant",
    "nice",
];
const EN_BAD: [&str; 20] = [
    "bad",
    "terrible",
    "slow",
    "rude",
    "awful",
    "late",
    "dirty",
    "broken",
    "useless",
    "horrible",
    "poor",
    "cancelled",
    "delayed",
    "unreliable",
    "expensive",
    "confusing",
    "disappointing",
    "unhelpful",
    "lost",
    "annoying",
];
const EN_PRAISE: [&str; 10] = [
    "T is G",
    "T was very G",
    "T was really G and G",
    "T is not B at all",
    "T was never B",
    "G service, thank you",
    "love it, T is so G",
    "T was B but U was G",
    "thanks, T was G",
    "best experience, T was G",
];
const EN_BLAME: [&str; 14] = [
    "T is B",
    "T was so B",
    "T was B and B",
    "T is not G",
    "T was not very G",
    "T isn't G at all",
    "T was G but U was B",
    "B service, never again",
    "still waiting for two hours, T is B",
    "no one answers, T was B",
    "worst experience, T was B",
    "T was B again",
    "T doesn't work",
    "why is T so B",
];
const EN_ASKED: [&str; 9] = [
    "what time does T start?",
    "how do I change T?",
    "where can I find T",
    "can I book T for tomorrow?",
    "how much is T?",
    "do you have T?",
    "is T available on monday",
    "please tell me about T",
    "I want to ask about T",
];

/// `count` sentences of each kind, Chinese and English; the same for the same seed.
pub fn sentences(count: usize, seed: u64) -> Vec<(&'static str, String, Gold)> {
    let mut dice = Dice(seed);
    let mut made = Vec::new();
    for _ in 0..count {
        made.push(("made", chinese(&mut dice, &PRAISE), Gold::Positive));
        made.push(("made", chinese(&mut dice, &BLAME), Gold::Negative));
        made.push(("made", chinese(&mut dice, &ASKED), Gold::Neutral));
        if dice.below(3) == 0 {
            made.push(("made_en", english(&mut dice, &EN_PRAISE), Gold::Positive));
            made.push(("made_en", english(&mut dice, &EN_BLAME), Gold::Negative));
            made.push(("made_en", english(&mut dice, &EN_ASKED), Gold::Neutral));
        }
    }
    made
}

fn pick(dice: &mut Dice, from: &[&'static str]) -> &'static str {
    from[dice.below(from.len())]
}

fn chinese(dice: &mut Dice, patterns: &[&'static str]) -> String {
    let mut sentence = String::new();
    for character in pick(dice, patterns).chars() {
        match character {
            'T' | 'U' => sentence.push_str(pick(dice, &THINGS)),
            'G' => sentence.push_str(pick(dice, &GOOD)),
            'B' => sentence.push_str(pick(dice, &BAD)),
            'E' => sentence.push_str(pick(dice, &EVENTS)),
            'V' => sentence.push_str(pick(dice, &VERBS)),
            'O' => sentence.push_str(pick(dice, &OBJECTS)),
            other => sentence.push(other),
        }
    }
    sentence
}

fn english(dice: &mut Dice, patterns: &[&'static str]) -> String {
    let words = pick(dice, patterns).split(' ').map(|word| {
        let (slot, mark) = word.split_at(word.find([',', '?']).unwrap_or(word.len()));
        let filled = match slot {
            "T" | "U" => pick(dice, &EN_THINGS),
            "G" => pick(dice, &EN_GOOD),
            "B" => pick(dice, &EN_BAD),
            other => other,
        };
        format!("{filled}{mark}")
    });
    words.collect::<Vec<_>>().join(" ")
}
