#!/usr/bin/env python3
"""Encoding speed of Tempera beside the Rust library (PyPI tokenizers), one thread each, same texts, ids compared.

usage: tests/bench/bench_tokenizer.py [TOKENIZER_JSON_OR_MODEL_FOLDER ...] [--build DIR] [--rounds N]
Builds the program in --build (default build/release) first. Without a tokenizer: the small ones of tests/golden (byte-level BPE,
WordPiece, Unigram in both of DeBERTa-v3's forms) and, where they have been imported, the real SmolLM2 and MiniLM-L6.
"""
import argparse
import base64
import json
import os
import pathlib
import pydoc
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden"))
import adversarial_strings  # noqa: E402
from tokenizers import Tokenizer, __version__  # noqa: E402

PROMPT = ("A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first thinks about "
          "the reasoning process in the mind and then provides the user with the answer.\nUser: Using the numbers {}, create an equation that "
          "equals {}. You can use basic arithmetic operations (+, -, *, /) and each number can only be used once. Show your work in <think> "
          "</think> tags. And return the final answer in <answer> </answer> tags.\nAssistant: Let me solve this step by step.\n<think>")


def corpora():
    r = random.Random(1)
    prompts = [PROMPT.format([r.randint(1, 99) for _ in range(r.randint(3, 4))], r.randint(10, 99)) for _ in range(2000)]
    prose = [pydoc.plain(pydoc.render_doc(m)) for m in ("argparse", "asyncio", "datetime", "decimal", "email", "logging", "random", "re", "typing")]
    code = [pathlib.Path(sys.modules[m].__file__).read_text() for m in ("argparse", "pydoc", "tempfile", "random", "subprocess", "pathlib")]
    mixed = [s.decode("utf-8", "replace") for s in adversarial_strings.strings(20000, 4)]
    script = ["".join(chr(r.choice((r.randint(0x4E00, 0x9FA5), r.randint(0x3041, 0x3096), 0x3002))) for _ in range(400)) for _ in range(300)]
    return {"Countdown prompts": prompts, "documentation": prose, "Python source": code, "adversarial": mixed, "Chinese, Japanese": script}


def peer(path, texts, rounds):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encode = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    first = best = None
    for _ in range(rounds):
        start = time.perf_counter()
        out = encode(texts, add_special_tokens=False)
        seconds = time.perf_counter() - start
        first = first or seconds
        best = min(best or seconds, seconds)
    checksum = count = 0
    for encoding in out:
        ids = encoding.ids
        count += len(ids)
        for i in ids:
            checksum = (checksum * 31 + i) & 0xFFFFFFFF
    return {"first": first, "best": best, "ids": count, "checksum": checksum}


def unpacked_golden(folder):
    """The word tokenizers of tests/golden/make_word_tokenizers.py as tokenizer.json files in `folder`."""
    golden = ROOT / "tests/golden/word_tokenizers"
    unpack = lambda name: zlib.decompress((golden / name).read_bytes()[4:])
    charsmap = base64.b64encode(unpack("charsmap.z")).decode()
    for name in ("bert-uncased", "bert-cased", "deberta", "deberta5"):
        file = pathlib.Path(folder) / f"{name}.json"
        file.write_text(unpack(f"{name}.json.z").decode().replace("@charsmap", charsmap))
        yield file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizers", nargs="*", type=pathlib.Path)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not pathlib.Path(options.build, "CMakeCache.txt").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", options.build, "--target", "bench_tokenizer"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    models = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tempera/models"
    golden = ROOT / "tests/golden/tokenizers"
    scratch = tempfile.TemporaryDirectory()
    files = options.tokenizers or [golden / "qwen2.json", golden / "smollm2.json", *unpacked_golden(scratch.name),
                                   *(p for p in (models / "smollm2-135m-instruct", models / "minilm-l6") if p.exists())]
    print(f"one thread, MB/s of the best of {options.rounds} rounds (first round in brackets); peer: tokenizers {__version__}")
    worst = None
    for file in files:
        file = file / "tokenizer.json" if file.is_dir() else file
        print(file)
        for name, texts in corpora().items():
            with tempfile.NamedTemporaryFile() as data:
                for text in texts:
                    data.write(struct.pack("=Q", len(text.encode())) + text.encode())
                data.flush()
                ours = json.loads(subprocess.run([f"{options.build}/bin/bench_tokenizer", str(file), data.name, str(options.rounds)],
                                                 check=True, stdout=subprocess.PIPE, text=True).stdout)
            theirs = peer(file, texts, options.rounds)
            same = (ours["ids"], ours["checksum"]) == (theirs["ids"], theirs["checksum"])
            megabytes = sum(len(t.encode()) for t in texts) / 1e6
            ratio = theirs["best"] / ours["best"]
            worst = min(worst or ratio, ratio)
            print(f"  {name:18} {megabytes:5.2f} MB   tempera {megabytes / ours['best']:6.1f} ({megabytes / ours['first']:.1f})   tokenizers "
                  f"{megabytes / theirs['best']:5.1f} ({megabytes / theirs['first']:.1f})   {ratio:5.1f} times, first round "
                  f"{theirs['first'] / ours['first']:.1f}   ids {'equal' if same else 'DIFFER'}")
            if not same:
                sys.exit(1)
    print(f"smallest ratio: {worst:.1f}")


if __name__ == "__main__":
    main()
