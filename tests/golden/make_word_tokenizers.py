"""Writes tests/golden/word_tokenizers/: small tokenizers of BERT's kind (WordPiece) and DeBERTa-v3's (Unigram), variants of their parts,
and what PyPI tokenizers makes of the adversarial strings of make_tokenizers.py; with sentencepiece also a SentencePiece model.

Formats of *.bin as there. <name>.pairs.bin: per sample the two strings' numbers, max_length, whether the left is cut, ids and type ids.
"""
import copy
import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, __version__, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import adversarial_strings as adversarial  # noqa: E402
from make_tokenizers import blob, corpus, id_list, number  # noqa: E402

OUT = pathlib.Path(__file__).parent / "word_tokenizers"
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def template(cls, sep):
    return processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
                                         special_tokens=[("[CLS]", cls), ("[SEP]", sep)])


def wordpiece(lowercase, size=3000):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    t.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lowercase)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    t.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=size, special_tokens=BERT_SPECIAL, limit_alphabet=1000,
                                                              show_progress=False))
    t.post_processor = template(2, 3)
    return t


def write_json(name, tokenizer):
    (OUT / f"{name}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")))


def text_of(data):
    return data.decode("utf-8", "replace")


def write_ids(path, tokenizer, strings):
    tokenizer.no_truncation()
    path.write_bytes(b"".join(id_list(tokenizer.encode(text_of(s)).ids) for s in strings))


def write_decodes(name, tokenizer, strings):
    r = random.Random(5)
    size = tokenizer.get_vocab_size()
    with open(OUT / f"{name}.decode.bin", "wb") as out:
        for k in range(300):
            ids = ([r.randrange(size) for _ in range(r.randint(0, 12))] if k % 2
                   else tokenizer.encode(text_of(r.choice(strings))).ids[r.randint(0, 3):][: r.randint(1, 20)])
            if k % 50 == 1:
                ids.append(size + r.randrange(1000))  # nobody's id
            out.write(id_list(ids) + blob(tokenizer.decode(ids, skip_special_tokens=False).encode())
                      + blob(tokenizer.decode(ids, skip_special_tokens=True).encode()))


def write_pairs(name, tokenizer, strings):
    r = random.Random(6)
    with open(OUT / f"{name}.pairs.bin", "wb") as out:
        for _ in range(600):
            a, b = r.randrange(len(strings)), r.randrange(len(strings))
            limit, left = r.choice([0, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 21, 32, 33]), r.random() < 0.4
            tokenizer.no_truncation()
            if limit:
                tokenizer.enable_truncation(limit, strategy="longest_first", direction="left" if left else "right")
            e = tokenizer.encode(text_of(strings[a]), text_of(strings[b]))
            out.write(number(a) + number(b) + number(limit) + number(left) + id_list(e.ids) + id_list(e.type_ids))
    tokenizer.no_truncation()


def write_all(name, tokenizer, strings):
    write_json(name, tokenizer)
    write_ids(OUT / f"{name}.bin", tokenizer, strings)
    write_decodes(name, tokenizer, strings)
    write_pairs(name, tokenizer, strings)


def main():
    OUT.mkdir(exist_ok=True)
    strings = adversarial.strings(6000, 2026)
    for name, lowercase in (("bert-uncased", True), ("bert-cased", False)):
        write_all(name, wordpiece(lowercase), strings)
    print("tokenizers", __version__)


if __name__ == "__main__":
    main()
