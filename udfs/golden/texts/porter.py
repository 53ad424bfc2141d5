"""Makes porter.csv: stems by snowballstemmer (PyPI), English (Porter 2). Columns: word, stem."""
import snowballstemmer
WORDS = """delivery deliveries delivered delivering slow slowly slowness cancel cancelled cancellation refund refunded refunding
refunds happy happier happiness unhappy disappointing disappointed disappointment broken break breaking crashes crashed crashing
quality qualities service services serviced shipping shipment shipped returns returned returning policy policies agent agents
rude rudely rudeness help helpful helpfully unhelpful helping charge charged charges charging battery batteries connect connected
connection connectivity network networks app apps application applications update updates updated updating login logging logged
wait waited waiting price priced prices pricing expensive expensively cheap cheaply easily easy easier recommend recommended
recommendation useful usefulness useless generously national relational conditional skies dying news early only""".split()
stem = snowballstemmer.stemmer("english").stemWord
with open(__file__.replace(".py", ".csv"), "w") as out:
    out.write("word,stem\n" + "".join(f"{w},{stem(w)}\n" for w in WORDS))
