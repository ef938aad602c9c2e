"""Seeded adversarial texts for tokenizers: bytes, some of them broken UTF-8."""
import random
import unicodedata

SPECIALS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<repo_name>", "<file_sep>",
    "<|im_start|>assistant\n", "<|im_end|>\n", "<|im_", "|im_end|>", "<|endoftext|", "<|<|im_end|>|>", "< |im_end|>", "<|IM_END|>",
]
WORDS = (
    "the of and to numbers create an equation that equals use each once answer think let's try it's I'll we've they'd you're "
    "can't DON'T SHE'LL Straße naïve café résumé ﬁnal ﬃ Ångström İstanbul ςΣσ NumPy x86_64 don’t O'Neill ''s 's 't 'S 'ſ 'LL "
    "'re're 'VE'm hello Hello HELLO wörld 3.14159 1234567890 ２０２６ ٣٤٥ 一二三 ½ Ⅻ ² 1e-5 0x1F $5 50% a+b=c (1+2)*3 {}[]<> "
    "http://example.org/?q=1&r=2 foo@bar.org #tag --flag C:\\path \\n \\u0041 日本語 東京タワー 한국어 中文字符 العربية עברית हिन्दी ไทย "
    "Ελληνικά русский ქართული አማርኛ தமிழ் বাংলা ਪੰਜਾਬੀ 𝒜𝓫𝕮 🙂 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 👍🏽 ☃️ e\u0301 a\u0308\u0323 \u0323\u0307 q\u0307\u0323 "
    "\u1100\u1161\u11a8 \uac00\u11a8 Å \u212b \u2126 \u0340 \u0958 \ufb1d \U0001d15e ﷺ \u0344 \u0f73 x\u0f71\u0f72\u0f74"
).split(" ")
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n", " \n", "\n ", "\u00a0", "\u3000", "\u2009", "\u2028", "\u2029", "\u0085", "\x0b",
          "\x0c", "\u200b", "\ufeff", "\u180e", "\x1c", "\u202f", "\t \t", " " * 17, "\n" * 9, "\u1680", "\u205f"]
CONTROLS = [chr(c) for c in list(range(0x20)) + [0x7F, 0x80, 0x9F, 0xAD]] + [
    "\u200c", "\u200d", "\u200e", "\u202e", "\u2060", "\ufe0f", "\ufffd", "\ufffe", "\uffff", "\U000e0041", "\U0010ffff", "\ue000"]
BROKEN = [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe0\x80\xaf", b"\xf8\x88",
          b"\xc3\x28", b"\xe2\x28\xa1", b"\xf0\x28\x8c\xbc", b"\xfe\xfe"]
# Blocks of every script in the standard, so that no script is left out; unassigned code points are in too.
BLOCKS = [(first, first + 0x7F) for first in range(0x80, 0x3400, 0x80)] + [
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA48F), (0xA490, 0xABFF), (0xAC00, 0xD7A3), (0xD7A4, 0xD7FF), (0xE000, 0xF8FF),
    (0xF900, 0xFAFF), (0xFB00, 0xFFFF)] + [(first, first + 0xFF) for first in range(0x10000, 0x12600, 0x100)] + [
    (0x13000, 0x1345F), (0x16000, 0x16FFF), (0x17000, 0x18CFF), (0x1AFF0, 0x1B2FF), (0x1BC00, 0x1BCAF), (0x1CC00, 0x1D24F),
    (0x1D2C0, 0x1D7FF), (0x1D800, 0x1DFFF), (0x1E000, 0x1E95F), (0x1EC70, 0x1EEFF), (0x1F000, 0x1FAFF), (0x1FB00, 0x1FBFF),
    (0x20000, 0x2A6DF), (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1F), (0x30000, 0x323AF), (0xE0000, 0xE01EF)]
MARKS = [chr(c) for c in range(0x300, 0x20000) if unicodedata.combining(chr(c))]


def from_block(r):
    first, last = r.choice(BLOCKS)
    return "".join(chr(r.randint(first, last)) for _ in range(r.randint(1, 6)))


def marked(r):
    return r.choice("aeiouxAEOqнが") + "".join(r.choice(MARKS) for _ in range(r.randint(1, 4)))


def piece(r):
    kind = r.random()
    if kind < 0.40: return r.choice(WORDS)
    if kind < 0.62: return r.choice(SPACES)
    if kind < 0.72: return from_block(r)
    if kind < 0.78: return marked(r)
    if kind < 0.83: return r.choice(CONTROLS)
    if kind < 0.89: return r.choice(SPECIALS)
    if kind < 0.94: return "".join(r.choice("abcXYZ019 .,'\"!?-_/\n") for _ in range(r.randint(1, 12)))
    if kind < 0.97: return str(r.randint(0, 10 ** r.randint(1, 12)))
    return r.choice(["a", "=", " ", "ab", "é", "🙂", "1", "\n", "'"]) * r.randint(2, 70)


def strings(count, seed):
    """`count` distinct byte strings. Every script's block and every special text comes alone first."""
    r = random.Random(seed)
    out = [b""] + [s.encode() for s in SPECIALS + WORDS + SPACES + CONTROLS]
    out += ["".join(chr(r.randint(first, last)) for _ in range(8)).encode() for first, last in BLOCKS]
    out += [b + s for b in BROKEN for s in (b"", b"a", b" <|im_end|>", "é".encode())]
    seen = set(out)
    while len(out) < count:
        text = b"".join(piece(r).encode() for _ in range(r.randint(1, 9)))
        if r.random() < 0.08:  # broken UTF-8: inserted, cut or flipped
            at = r.randint(0, len(text))
            text = text[:at] + r.choice([r.choice(BROKEN), b"", bytes([r.randint(128, 255)])]) + text[at + r.randint(0, 2):]
        if text not in seen:
            seen.add(text)
            out.append(text)
    return out[:count]
