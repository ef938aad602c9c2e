"""Writes tests/golden/cli: what PyPI tokenizers makes of texts, as the JSON lines that `tempera-cli tokenize` reads and writes.

    python tests/golden/make_cli.py
"""
import json
import pathlib

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "", " ", "\n", "hello world", "  two  spaces ", "Using the numbers [3, 17, 42], create an equation that equals 31.",
    "<think>\n3 + 17 = 20\n</think>\n<answer> (3 + 17) * 2 </answer>", "<|im_start|>user\nhi<|im_end|>", "<|endoftext|>",
    "naïve café Straße", "日本語のテキスト", "🤖👩‍👩‍👧 emoji", "e\u0301 combining", "\u0000\u0001 control \u007f", "tab\tand\r\nline",
    "1234567890 12.5e-3", "I'll don't we've", "a" * 300, "\u202eright to left\u202c שלום", "\ud7ff\ue000\ufffd",
]


def write(name, rows):
    with open(HERE / "cli" / name, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


tokenizer = Tokenizer.from_file(str(HERE / "models" / "qwen2-tied" / "tokenizer.json"))
encodings = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS]
write("texts.jsonl", [{"text": text} for text in TEXTS])
write("tokens.jsonl", [{"ids": e.ids, "pieces": e.tokens} for e in encodings])
write("decoded.jsonl", [{"text": tokenizer.decode(e.ids, skip_special_tokens=False)} for e in encodings])
