"""Makes pii.tsv: 2,000 labelled sentences from own templates (seed 20261122).

Columns: part (tune or held_out: every third template), template number, text, spans `kind:start:end` in characters
with `;` between them. Slots in braces are personal data; slots in angle brackets are hard negatives."""
import random, re

R = random.Random(20261122)
def d(n): return "".join(R.choice("0123456789") for _ in range(n))
def pick(text): return R.choice(text.split())

SURNAMES = pick_list = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文 欧阳 司马 上官 诸葛".split()
GIVEN = "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀英 霞 平 刚 桂英 建华 志强 晓东 雪梅 海燕 子涵 梓萱 雨桐 浩然 宇轩 欣怡 诗涵 思远 立新 国庆 文静 春花 玉兰 俊杰 佳琪 一鸣 大勇 小龙 红梅 永康 家豪 嘉欣 德华 振宇 若曦 婉清 晨曦 天佑 瑞雪 丹丹 莉莉 建国 卫东 少华 凯 鹏 琳 倩 婷 宁 峰 斌 宏图 学友 千里".split()
FIRST = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Sarah Karen Charles Nancy Daniel Lisa Matthew Betty Anthony Sandra Mark Ashley Emily Kevin Priya Wei Ahmed Olivia Noah Sophie Oliver Amelia Harry".split()
LAST = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson Taylor Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Green Baker Adams Nelson O'Brien Patel Singh Campbell Khan Evans Turner".split()
CITIES = ["北京市朝阳区","北京市海淀区","上海市浦东新区","广州市天河区","广东省深圳市南山区","浙江省杭州市西湖区","江苏省南京市鼓楼区","四川省成都市武侯区","湖北省武汉市洪山区","陕西省西安市雁塔区","山东省青岛市市南区","福建省厦门市思明区","重庆市渝北区","天津市和平区","湖南省长沙市岳麓区","河南省郑州市金水区","辽宁省大连市沙河口区","江苏省苏州市昆山市","广西壮族自治区南宁市青秀区","云南省昆明市五华区"]
ROADS = "建国路 中山北路 人民大道 解放西路 学院南路 文一西路 科技园南路 珞喻路 世纪大道 长江路 和平街 望京西路 高新四路 滨海大道 迎宾路 金融街 天府大道 花园路 幸福巷 体育东路".split()
ESTATES = "阳光花园 万科城 碧桂园 金域华府 翠湖小区 保利香槟 绿地世纪城 龙湖滟澜山 锦绣家园 中海国际社区 明珠公寓 华润大厦".split()

FULL = str.maketrans("0123456789", "０１２３４５６７８９")
HAN = str.maketrans("0123456789", "零一二三四五六七八九")
HAN2 = str.maketrans("0123456789", "〇幺二三四五六七八九")

def mobile():
    n = "1" + R.choice(["38","39","50","59","77","86","35","88","99","66","33","47","52","91"]) + d(8)
    s = f"{n[:3]}-{n[3:7]}-{n[7:]}"
    return R.choice([n]*6 + ["+86"+n, "+86 "+n, "0086"+n, s, s.replace("-", " "), n.translate(FULL), n.translate(HAN), n.translate(HAN2), "86-"+n])
def landline():
    a, n = R.choice([("010",8),("021",8),("020",8),("0755",8),("0571",8),("028",8),("0311",8),("0532",8),("0871",8),("0931",7),("0851",7)])
    s = R.choice("2345678") + d(n-1)
    return R.choice([f"{a}-{s}", f"{a}{s}", f"({a}){s}", f"{a} {s}", f"（{a}）{s}", f"{a}-{s}-{d(3)}", f"+86-{a[1:]}-{s}"])
def id_card():
    area = R.choice("110101 110105 310115 440106 440305 330106 320106 510107 420111 610113 370202 350203 500112".split())
    body = area + f"{R.randint(1950,2010)}{R.randint(1,12):02}{R.randint(1,28):02}" + d(3)
    w = [7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2]
    c = "10X98765432"[sum(int(a)*b for a,b in zip(body,w)) % 11]
    n = body + c
    return R.choice([n, n, n, n.lower(), n[:6]+" "+n[6:14]+" "+n[14:], n.translate(FULL) if c != "X" else n])
def luhn(body):
    t = 0
    for i, ch in enumerate(reversed(body)):
        v = int(ch)
        if i % 2 == 0:
            v = v*2 - 9 if v > 4 else v*2
        t += v
    return body + str(-t % 10)
def bank():
    n = luhn(R.choice(["622202","621700","622848","621661","623058"]) + d(12)) if R.random() < .6 else luhn(R.choice(["4532","5264","4012","5500","6225"]) + d(11))
    grouped = " ".join(n[i:i+4] for i in range(0, len(n), 4))
    return R.choice([n, n, grouped, grouped.replace(" ", "-")])
def plate():
    p = R.choice("京沪粤浙苏川鄂陕鲁闽渝津湘豫") + R.choice("ABCDEFG")
    s = "".join(R.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(4)) + d(1)
    return R.choice([p+s, p+"·"+s, p+" "+s, p+R.choice("DF")+d(5)])
def passport(): return R.choice(["E"+d(8), "G"+d(8), "EA"+d(7), "EJ"+d(7)])
def email():
    u = R.choice(["wang.lei","zhangsan88","li_na","cx2020","john.smith","kefu+test","q"+d(6),"amy-chen"])
    return u + "@" + R.choice(["qq.com","163.com","gmail.com","example.com.cn","mail.company.co.uk","126.com","outlook.com"])
def wechat(): return R.choice(["wx_","abc","li","happy","vip-","zhao"]) + R.choice(["_2020","tian","song88","xiaomei","_66"]) + d(R.randint(2,4))
def qq(): return R.choice("123456789") + d(R.randint(6,9))
def zh_name(): return R.choice(SURNAMES) + R.choice(GIVEN)
def surname(): return R.choice(SURNAMES)
def zh_address():
    road = R.choice(ROADS) + str(R.randint(1,399)) + "号"
    tail = R.choice(["", f"{R.choice(ESTATES)}{R.randint(1,30)}栋{R.randint(1,4)}单元{R.randint(101,2903)}室", f"{R.choice(ESTATES)}{R.randint(1,20)}号楼{R.randint(101,2903)}", f"{R.randint(1,20)}幢{R.randint(101,2903)}室", f"院{R.randint(1,9)}号楼"])
    return R.choice([R.choice(CITIES), R.choice(CITIES), ""]) + road + tail
def en_name(): return f"{R.choice(FIRST)} {R.choice(LAST)}"
def en_last(): return R.choice(LAST)
def us_phone():
    a, b, c = R.choice("212 415 617 312 206 713".split()), R.choice("2345678")+d(2), d(4)
    return R.choice([f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"+1 {a} {b} {c}", f"{a}.{b}.{c}", f"1-{a}-{b}-{c}", f"+1{a}{b}{c}"])
def uk_phone():
    return R.choice([f"07{R.choice('4579')}{d(2)} {d(6)}", f"+44 7{R.choice('4579')}{d(2)} {d(6)}", f"020 {R.choice('378')}{d(3)} {d(4)}", f"0161 {R.choice('2348')}{d(2)} {d(4)}", f"+44 20 7{d(3)} {d(4)}"])
def ssn(): return f"{R.randint(101,665)}-{R.randint(10,99)}-{R.randint(1000,9999)}"
def en_address():
    street = f"{R.randint(1,9999)} {R.choice('Maple Oak Washington Park Elm Lincoln Sunset Highland Church Victoria'.split())} {R.choice(['Street','St','Avenue','Ave','Road','Rd','Lane','Drive','Blvd'])}"
    tail = R.choice(["", f", Apt {R.randint(1,60)}{R.choice(['','A','B'])}", ""])
    city = R.choice(["", f", {R.choice(['Springfield, IL 62704','Boston, MA 02118','Austin, TX 78701','Portland, OR 97205'])}", f", {R.choice(['London SW1A 1AA','Manchester M1 1AE','Leeds LS1 4DY'])}"])
    return street + tail + city
def ip(): return f"{R.choice([8,58,101,114,172,192,203,220])}.{R.randint(0,255)}.{R.randint(0,255)}.{R.randint(1,254)}"

SLOTS = dict(phone=mobile, id_card=id_card, bank_card=bank, plate=plate, passport=passport, email=email, wechat=wechat, qq=qq,
  name=zh_name, address=zh_address, ssn=ssn, ip=ip)
VARIANTS = {"landline": ("phone", landline), "en_name": ("name", en_name), "en_last": ("name", en_last), "us_phone": ("phone", us_phone), "uk_phone": ("phone", uk_phone),
  "en_address": ("address", en_address), "surname": ("name", surname)}
def bad_id():
    n = id_card().replace(" ", "").translate(str.maketrans("０１２３４５６７８９", "0123456789")).upper()
    return n[:-1] + ("0" if n[-1] != "0" else "1")
def bad_card():
    n = luhn("622202" + d(12)); return n[:-1] + str((int(n[-1])+3) % 10)
NEGATIVES = dict(order=lambda: R.choice(["DD","SO","NO.",""])+f"2026{R.randint(1,12):02}{R.randint(1,28):02}"+d(R.choice([6,8,10])), tracking=lambda: R.choice(["SF","YT","JD","ZTO"])+d(R.choice([12,13])),
  price=lambda: R.choice([f"{R.randint(1,9999)}.{d(2)}", f"{R.randint(1,99)},{d(3)}.00", str(R.randint(10,99999))]), date=lambda: R.choice([f"2026-{R.randint(1,12):02}-{R.randint(1,28):02}", f"2026年{R.randint(1,12)}月{R.randint(1,28)}日", f"2026/{R.randint(1,12)}/{R.randint(1,28)} {R.randint(10,23)}:{d(1)}5:00", f"2026{R.randint(1,12):02}{R.randint(1,28):02}"]),
  model=lambda: R.choice(["iPhone 15 Pro Max","RTX 4090","ThinkPad X1","小米14 Ultra","WH-1000XM5","HUAWEI Mate60","MD-13800","A320-200","KFR-35GW/N8","SKU12345678"]),
  version=lambda: R.choice(["10.2.1","6.0.3.12000","3.14.159","v2.10.0.1234"]), hotline=lambda: R.choice(["10086","95588","12315","400-810-8888","800-820-8820","10010","4008123123"]), bad_id=bad_id, bad_card=bad_card, n=lambda: str(R.randint(2,99)), barcode=lambda: "69" + d(11))

TEMPLATES = """
我的手机号是{phone}，请尽快回电
电话{phone}打不通，客服也不理人
联系人：{name}，手机：{phone}
给你们留的号码{phone}一直没人联系我
{phone}这个号码老是收到你们的营销短信，能不能退订
麻烦把发票寄到{address}，收件人{name}，电话{phone}
预留手机号由{phone}改成{phone}
投诉人{name}（{phone}）反映宽带经常掉线
座机{landline}没人接
请拨{landline}找我，白天都在
单位电话：{landline}，家里电话：{landline}
我是{name}，上周在你们店买的洗衣机坏了
我叫{name}，身份证{id_card}，办不了实名
身份证号：{id_card}，麻烦查一下
证件号码{id_card}提示已被绑定
姓名：{name} 身份证：{id_card} 银行卡：{bank_card}
退款请退到卡号{bank_card}
银行卡{bank_card}被扣了两次钱
我的信用卡 {bank_card} 一直没到账
车牌{plate}停车费收了两遍
{plate}昨天在你们停车场被刮了
开的是{plate}，充电桩识别不了
护照号{passport}订不了票
护照：{passport}，请改签
发邮件到{email}没人回
我的邮箱{email}收不到验证码
请把电子发票发到 {email} ，谢谢
加我微信{wechat}，发你截图
微信号：{wechat}，方便联系
wx:{wechat} 看到请加
QQ：{qq}，加我私聊
我的qq号是{qq}
有事加QQ{qq}或者打{phone}
客服{name}态度特别好，点赞
{surname}先生的快递送错了，让人很生气
{surname}女士说昨天打过电话了
感谢{name}师傅上门维修，很专业
找你们{surname}经理投诉也没用
售后{name}一直推脱，不解决问题
收货人是{name}，不是我本人
快递员{name}把包裹放在门口就走了
房东{name}人很好，有机会还会来
{name}医生看病特别仔细
客户姓名:{name}，地址:{address}
地址写的是{address}，送到别的地方去了
我住在{address}，网络信号特别差
送到{address}要加钱吗
{address}这边宽带三天没网了
家庭住址：{address}
登录IP是{ip}，不是我本人操作
服务器 {ip} 连不上
昨天有个自称{name}的人打电话来推销
我老公{name}的会员卡能一起用吗
本人{name}，{phone}，要求退款
订单<order>到现在都没发货
订单号：<order>，快递单号<tracking>，查不到物流
花了<price>元买的<model>，用了<n>天就坏了
<date>下单，<date>才送到
<model>比<model>好用多了，推荐购买
拨打<hotline>排队半小时没人接
版本<version>更新以后闪退
身份证<bad_id>明显是编的
卡号<bad_card>校验不过
商品条码<barcode>扫不出来
充了<price>块钱话费，等了<n>分钟
客服小姐姐态度很好，先生这个词叫得人舒服
王者荣耀卡顿，黄金会员没有用，高德地图定位不准
张家界的酒店不错，李宁的鞋子也好看，陈醋太酸
老师很专业，师傅来得快，经理也道歉了
一二三四五六七，数一下就知道少发了，七八十块钱不算多
路口的红绿灯太久，小区门口没有信号，三号线很挤
马上就到，方便面有点咸，高兴得不得了，任何问题都能解决
房间号<n>08，<n>楼，隔音差，第<n>次住了
我是老用户了，我叫了外卖一小时没到，我是真的服了
微信支付不了，QQ登录失败，邮箱格式提示错误
联系人写错了怎么改，姓名不能改吗，地址填错了
包装里有<n>包，每包<price>克，保质期到<date>
My phone number is {us_phone}, please call me back
Call me at {us_phone} after 5pm
You can reach me on {uk_phone} any time
I have been calling from {uk_phone} all day and nobody answers
My name is {en_name} and I want a refund
Hi, this is {en_name} from Boston, my order never came
I spoke with {en_name} yesterday and she was rude
Mr. {en_last} promised a replacement within a week
Mrs {en_last} at the front desk was lovely
Please contact Dr. {en_name} about the appointment
Kind regards, {en_name}
Your agent {en_name} hung up on me
Our technician, {en_name}, arrived on time
Ship it to {en_address}
I live at {en_address} and the signal is terrible
My address is {en_address}
My SSN is {ssn}, why do you need it?
Social security number {ssn} was leaked by your staff
Charged my card {bank_card} twice
Card number {bank_card} was declined
Email me at {email} with an update
The login came from {ip} which is not mine
Reservation under {en_name}, phone {us_phone}
Passport {passport} was rejected at check-in
Thanks to {en_name} for the excellent service
Order <order> has not shipped since <date>
Tracking number <tracking> shows nothing for <n> days
I paid $<price> for the <model> and it broke on <date>
Version <version> crashes every <n> minutes
This is Amazing, I am Very happy with the Galaxy phone, best Regards to the team
The Park Hotel on Main was fine but New York pizza is better
Flight UA 1234 was delayed 45 minutes, gate B12, seat 14C, row 3
Score 100-200-3000, ratio 1.5, range 10-20, weight 3,000 lbs
Called customer service on Monday, the Manager said wait until Friday
I am Disappointed. My Name is on the list but Nobody called
Invoice 2026-11-4521 for 312 units, PO 4500012345, ref 617-22
Bought 2 for 1, got 3 of 5 stars, 24/7 support, 365 days warranty
Mr Coffee machine is great, Dr Pepper was warm, Miss you all
""".strip().split("\n")

SLOT = re.compile(r"\{(\w+)\}|<(\w+)>")
def fill(template):
    text, spans, at = "", [], 0
    for m in SLOT.finditer(template):
        text += template[at:m.start()]
        if m[1]:
            kind, make = VARIANTS[m[1]] if m[1] in VARIANTS else (m[1], SLOTS[m[1]])
            value = make()
            spans.append((kind, len(text), len(text) + len(value)))
        else:
            value = NEGATIVES[m[2]]()
        text += value
        at = m.end()
    return text + template[at:], spans

def main():
    order = [i for i in range(len(TEMPLATES))]
    rows = []
    for n in range(2000):
        i = order[n % len(order)]
        text, spans = fill(TEMPLATES[i])
        rows.append(("held_out" if i % 3 == 2 else "tune", i, text, ";".join(f"{k}:{a}:{b}" for k, a, b in spans)))
    with open(__file__.replace(".py", ".tsv"), "w", encoding="utf-8") as out:
        for row in rows:
            out.write("\t".join(map(str, row)) + "\n")

main()
