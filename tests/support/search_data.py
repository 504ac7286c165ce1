#!/usr/bin/env python3
"""search_data.py FOLDER [rows] - made-up tables and queries for scripts/score-search, always the same.

Writes FOLDER/table.csv (key,name) with names of villages, schools and health centres and titles of public works, and a
FOLDER/KIND.csv (query,key) for each kind of query; FOLDER/many-table.csv and many-KIND.csv have nearly as many words as
rows.  Nothing in them is taken from a list of real places.
"""
import csv
import os
import random
import sys

QUERIES = 1000
HEADS = ("Suko Sumber Mojo Kali Karang Tambak Wono Banjar Sido Kedung Ngra Band Pur Mar Tri Gunung Jati Kemb Kepoh Lebak "
         "Plos Rand Ring Sambi Sekar Sendang Siwal Tanjung Tlog Trucuk Watu Bakal Bulu Cang Dander Gading Gayam Kanor "
         "Kapas Klep Luwih Meny Nget Pade Pang Penga Prig Sarang Semb Tegal Temu Ujung").split()
TAILS = ("rejo harjo sari agung waras mulyo tengah lor kidul wetan kulon asri jo gede anom ombo dadi makmur sono tirto "
         "ngasem geneng pinggir payung kerto duwur sawit lawas indah bungah gondang turi angin ploso batang ketapang "
         "bendo sono bayan cilik gempol joho kuning ledok manis nongko").split()
FIRST = "Ahmad Budi Siti Dewi Joko Wahyu Sri Agus Eko Nur Hadi Ratna Bambang Endang Slamet Tri".split()
LAST = "Santoso Wibowo Rahayu Lestari Hidayat Prasetyo Kusuma Setiawan Utomo Nugroho Wijaya Pratama".split()
WORKS = ("Pembangunan,Rehabilitasi,Pemeliharaan,Peningkatan,Perbaikan,Pelebaran,Pengecoran,Normalisasi,Lanjutan Pembangunan,"
         "Pengadaan dan Pemasangan").split(",")
THINGS = ("Saluran Drainase,Jembatan,Jalan Poros Desa,Tembok Penahan Tanah,Gedung Puskesmas,Balai Desa,Ruang Kelas Baru,"
          "Saluran Irigasi,Jaringan Air Bersih,Lampu Penerangan Jalan,Pasar Desa,Lapangan Olahraga,Gapura,"
          "Posyandu,Embung,Jalan Usaha Tani").split(",")
SCHOOLS = "SD Negeri,SMP Negeri,SMA Negeri,SMK Negeri,MI,MTs,TK,Puskesmas,Posyandu,Apotek,Madrasah Diniyah".split(",")
SHORT = {"kecamatan": ["kec", "kec.", "kcmtn"], "desa": ["ds", "ds."], "jalan": ["jl", "jln", "jl."], "negeri": ["ngr", "neg"],
         "kabupaten": ["kab", "kab."], "pembangunan": ["pemb", "pemb.", "pembgn"], "rehabilitasi": ["rehab"],
         "pengadaan": ["pengd"], "puskesmas": ["pkm", "puskes"], "peningkatan": ["peningk"], "dusun": ["dsn"],
         "perbaikan": ["prbaikan"], "gedung": ["gd", "gdg"], "saluran": ["sal"], "pemeliharaan": ["pemel."],
         "posyandu": ["posyndu"], "madrasah": ["mdrsh"], "apotek": ["apotik"]}
PHRASES = {"sd negeri": "sdn", "smp negeri": "smpn", "sma negeri": "sman", "smk negeri": "smkn",
           "tembok penahan tanah": "tpt", "ruang kelas baru": "rkb", "sd": "sekolah dasar", "mi": "madrasah ibtidaiyah"}
COMMON = set("desa kecamatan jalan kabupaten dusun dan rt rw negeri".split())


def place(rng):
    name = rng.choice(HEADS) + rng.choice(TAILS)
    return name + " " + rng.choice(["Lor", "Kidul", "Wetan", "Kulon"]) if rng.random() < 0.08 else name


def name_of(rng):
    kind = rng.random()
    if kind < 0.35:
        return f"Desa {place(rng)} Kecamatan {place(rng)}"
    if kind < 0.65:
        return f"{rng.choice(SCHOOLS)} {place(rng)} {rng.randint(1, 9)}"
    if kind < 0.75:
        return f"{rng.choice(['Toko', 'CV', 'Warung', 'Bidan', 'dr.'])} {rng.choice(FIRST)} {rng.choice(LAST)} {place(rng)}"
    title = f"{rng.choice(WORKS)} {rng.choice(THINGS)} "
    if rng.random() < 0.5:
        title += f"Dusun {place(rng)} "
    title += f"Desa {place(rng)}"
    if rng.random() < 0.4:
        title += f" Kecamatan {place(rng)}"
    if rng.random() < 0.3:
        title += f" Tahap {rng.randint(1, 3)}"
    return title


def edit(rng, word):
    at = rng.randrange(len(word))
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1:]
    if kind == 1:
        return word[:at] + letter + word[at:]
    if kind == 2:
        return word[:at] + letter + word[at + 1:]
    at = min(at, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2:]


def misspell(rng, word):
    if not word.isalpha() or len(word) < 4:
        return word
    for _ in range(1 if len(word) < 7 else 2):
        word = edit(rng, word)
    return word


def words_of(name):
    return [word.strip(".,").lower() for word in name.split()]


def kind_exact(rng, name):
    return words_of(name)


def kind_one_wrong(rng, name):
    words = words_of(name)
    at = max(range(len(words)), key=lambda i: (words[i].isalpha(), len(words[i]) * rng.random()))
    words[at] = misspell(rng, words[at])
    return words


def kind_all_wrong(rng, name):
    return [misspell(rng, word) for word in words_of(name)]


def kind_order(rng, name):
    words = words_of(name)
    rng.shuffle(words)
    return words


def kind_order_wrong(rng, name):
    return kind_order(rng, " ".join(kind_all_wrong(rng, name)))


def kind_abbreviated(rng, name):
    text = " ".join(words_of(name))
    for phrase, short in PHRASES.items():
        if text.startswith(phrase + " "):
            text = text.replace(phrase, short, 1)
            break
        if " " + phrase + " " in text:
            text = text.replace(phrase, short, 1)
    return [rng.choice(SHORT[word]) if word in SHORT else word for word in text.split()]


def kind_missing(rng, name):
    return [word for word in words_of(name) if word not in COMMON]


def kind_missing_wrong(rng, name):
    return [misspell(rng, word) for word in kind_missing(rng, name)]


def kind_joined(rng, name):
    words = words_of(name)
    at = rng.randrange(max(1, len(words) - 1))
    if len(words) > 1 and words[at].isalpha() and words[at + 1].isalpha():
        words[at:at + 2] = [words[at] + words[at + 1]]
    return words


def kind_split(rng, name):
    words = words_of(name)
    at = max(range(len(words)), key=lambda i: len(words[i]) if words[i].isalpha() else 0)
    cut = len(words[at]) // 2
    words[at:at + 1] = [words[at][:cut], words[at][cut:]]
    return words


def kind_truncated(rng, name):
    words = words_of(name)
    if words[-1].isdigit():
        words.insert(0, words.pop())
    words[-1] = words[-1][:max(4, len(words[-1]) - 3)]
    return words


def kind_vowels(rng, name):
    words = words_of(name)
    at = max(range(len(words)), key=lambda i: len(words[i]) if words[i].isalpha() else 0)
    words[at] = words[at][0] + "".join(c for c in words[at][1:] if c not in "aeiou")
    return words


def kind_mixed(rng, name):
    """Something of everything."""
    words = kind_abbreviated(rng, name) if rng.random() < 0.5 else words_of(name)
    words = [word for word in words if word not in COMMON or rng.random() < 0.5]
    words = [misspell(rng, word) if rng.random() < 0.6 else word for word in words]
    if rng.random() < 0.3:
        rng.shuffle(words)
    if rng.random() < 0.2:
        words = kind_joined(rng, " ".join(words))
    if rng.random() < 0.2:
        words = ["mohon", "info"] + words + ["ya"]
    return words


def kind_one_word(rng, name):
    """The rarest word, misspelt: many rows have it, so it is its cost that is looked at."""
    return [misspell(rng, max(kind_missing(rng, name), key=len))]


def kind_common(rng, name):
    """Words that thousands of rows have: again its cost."""
    return rng.sample("desa kecamatan pembangunan jalan negeri sd saluran drainase posyandu puskesmas jembatan dusun".split(), 6)


def many(rng, count):
    """A table in which nearly every row has words that no other has."""
    parts = [c + v for c in "b c d g h j k l m n p r s t w y ng ny".split() for v in "aeiou"]
    word = lambda: "".join(rng.choice(parts) for _ in range(rng.randint(2, 4)))
    return [(f"M{i:06d}", " ".join(word().capitalize() for _ in range(rng.randint(3, 5)))) for i in range(count)]


def write_queries(folder, rows, prefix):
    for kind, make in list(globals().items()):
        if kind.startswith("kind_"):
            rng = random.Random(kind)
            queries = [(" ".join(make(rng, name)), key) for key, name in rng.sample(rows, min(QUERIES, len(rows)))]
            write(os.path.join(folder, prefix + kind[5:] + ".csv"), ("query", "key"), queries)


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)


def main():
    folder = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    rng = random.Random(20)
    names = {}
    while len(names) < count:
        name = name_of(rng)
        names.setdefault(" ".join(sorted(kind_missing(rng, name))), name)
    rows = [(f"K{i:06d}", name) for i, name in enumerate(names.values())]
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "table.csv"), ("key", "name"), rows)
    write_queries(folder, rows, "")
    rows = many(random.Random(30), count)
    write(os.path.join(folder, "many-table.csv"), ("key", "name"), rows)
    write_queries(folder, rows, "many-")


main()
