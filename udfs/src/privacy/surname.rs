//! Chinese surnames and the characters that given names are made of.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The surnames that nearly all bearers of a Han name share, without those that are mostly other words.
const SINGLE: &str = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘\
    杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严\
    牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管左涂谷祁时舒耿牟詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈\
    鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫嵺苟全褚廉简娄盖符奚木穆党燕郎\
    邸冀谈姬屠郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝巩稽井练仲乐虞卞封竺冼楚佟栗匡宗台巫鞠僧桑荆谌银扬明沙\
    薄伏岑习胥保蔺闫肖劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭許鄧蘇盧蔣賈葉閻鐘譚陸龔嚴顏莊關紀歐項衛";

const COMPOUND: [&str; 24] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "长孙", "司徒",
    "司空", "东方", "南宫", "独孤", "轩辕", "端木", "呼延", "钟离", "申屠", "歐陽", "司馬",
];

/// Single surnames that are also everyday words or parts of them: they want a boundary on their left.
const EVERYDAY: &str =
    "高方文白常时成安平全关向应明和于单包路车房边来原都台保冷花木商计谈官银沙习位解强查连简盖党";

/// Characters of given names; everyday characters that seldom stand in one are left out.
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂建华志晓东雪梅海燕子涵梓萱雨桐浩然宇轩欣怡诗思远立新国庆文春花\
    玉兰俊佳琪一鸣大小龙红永康家豪嘉德振若曦婉清晨天佑瑞丹莉卫少凯鹏琳倩婷宁峰斌宏图学友千里云飞凤兵波辉健亮林琴玲萍红珍珠\
    素莲荣爱香月莺媛瑶璐珊莎黛青蓉眉君菊毓昭冰爽茗羽希娅纨仪翠雅芝菁菲寒冬芬芸妍妮彩娇婵雁蓓薇慧巧美淑惠贞环嫣竹霭霜蕊\
    溶晶寰霄艺咏馥筠柔滢馨瑜勤纯毅良政谦亨奇固之轮翰朗伯言鸣朋梁栋维启克伦翔旭泽辰士以炎航奉唐尧舜树炯炳坚松柏旺福隆昌成\
    祥盛雄琛钧冠策腾楠榕风航弘义兴仁礼智信忠孝诚敬哲睿博涵煜昊炜烨焱烁逸尘诺宸铭锋钰钢锐铁银鑫淼森垚岩岚川江河湖泉源溪沐\
    沛泓洁津浩淳涵渊澜瀚灿煊照熙煦欢乐怀恩恺悦情愉懿承扬抒捷教敦斐昂映春晖晗晟智曼朝本权材杉来柯栩梦楚欣歌武民水沁治\
    玄玮玥珂珏珺理琦琰琼瑄瑾璇璟生甜白皓益盈真知石礼祎祺禾秋科程端笑简素经绍维绮罗群耀聪胜臣舒航艾芊芷苑若茂茹荷莹菀萌蓝\
    蕾薛虎裕西语诗谊贤贵赫越跃达迪迅逊通进邦采金鉴锦长闻阳阔隽霖韬韵颖颜飒骁骏高魁麒麟黎齐岳山川卓全利力功加前剑劲化北\
    南博卿厚双发可向吉同向和哲喜嘉园圆坤城培基堂墨声夏天奕奥好如妙威娴安宗宛定宝实宣宪容宽富尚展峻岭崇嵩川工左巍帆师常广应廷开\
    彤彦彬影彪律征心忆恒恬意慈战振政方昆昕显景智朵杏来柱柳根桃业楷槐正步殿汉汝沫泰洋洪润淇滨滔炫焕燕爽献玖珠琨璞甫田申\
    畅百盼睦硕磊社祖禄秉稳立竣籽粤精红纪纬练缘耘育胤自至舟艳茵荃莎菡蔓薪虹行裔言诺谨豆豫贝赛超路轶辛迎远连逢道重铎镇镭闯\
    际陶雄雯霆静顺颂风馥驰骥鲲鹤黛龄偉麗強軍勇艷傑濤剛華曉東鳳輝紅榮愛蓮飛雲國慶學";

static SURNAMES: LazyLock<HashSet<char>> =
    LazyLock::new(|| SINGLE.chars().filter(|c| !c.is_whitespace()).collect());
static NAME_CHARACTERS: LazyLock<HashSet<char>> =
    LazyLock::new(|| GIVEN.chars().filter(|c| !c.is_whitespace()).collect());

pub(crate) fn is_surname(c: char) -> bool {
    SURNAMES.contains(&c)
}

pub(super) fn is_everyday(c: char) -> bool {
    EVERYDAY.contains(c)
}

pub(super) fn is_given(c: char) -> bool {
    NAME_CHARACTERS.contains(&c)
}

/// The compound surname that `text` begins with.
pub(crate) fn compound(text: &str) -> Option<&'static str> {
    COMPOUND.iter().find(|surname| text.starts_with(**surname)).copied()
}
