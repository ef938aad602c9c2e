"""Writes core/text/char_class_ranges.inc and lowercase_ranges.inc: character classes and lower case as PyPI tokenizers sees them.

They are measured on the library itself, one code point at a time, because token ids depend on them: \\p{L} and \\p{N} are
those of its Oniguruma, is_numeric (Digits), \\w (single_word added tokens), punctuation, controls, marks and lower case those
of its Rust crates, and they do not follow the same Unicode version.
"""
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, __version__, models, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def matched(pattern):
    """Code points a Split(removed) takes away."""
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set()
    for first in range(0, len(CODE_POINTS), 8192):
        chunk = CODE_POINTS[first : first + 8192]
        kept = set()
        for _, (begin, end) in split.pre_tokenize_str("".join(map(chr, chunk))):
            kept.update(range(begin, end))
        found.update(c for k, c in enumerate(chunk) if k not in kept)
    return found


def numeric():
    split = pre_tokenizers.Digits(individual_digits=True)
    found = set()
    for first in range(0, len(CODE_POINTS), 4096):
        text = "a".join(map(chr, CODE_POINTS[first : first + 4096]))
        found.update(ord(p) for p, _ in split.pre_tokenize_str(text) if len(p) == 1 and p != "a")
    return found


def word():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("<T>", single_word=True, normalized=False)])
    found = set()
    for first in range(0, len(CODE_POINTS), 20000):
        chunk = CODE_POINTS[first : first + 20000]
        for c, encoding in zip(chunk, tokenizer.encode_batch([chr(c) + "<T>" for c in chunk])):
            if not encoding.ids:
                found.add(c)
    return found


def punctuation():
    split = pre_tokenizers.Punctuation("removed")
    found = set()
    for c in CODE_POINTS:
        if not split.pre_tokenize_str(chr(c)):
            found.add(c)
    return found


def vanishing(normalizer):
    return {c for c in CODE_POINTS if not normalizer.normalize_str(chr(c))}


def lower_case():
    """{first, last, step, distance}: code points first, first + step ... last become themselves + distance."""
    lower, runs = normalizers.Lowercase(), []
    for c in CODE_POINTS:
        to = lower.normalize_str(chr(c))
        if to == chr(c):
            continue
        if len(to) != 1:
            assert c == 0x130 and to == "i\u0307", (c, to)  # the only one; written out in lowercase.cpp
            continue
        run = runs[-1] if runs else None
        if run and ord(to) - c == run[3] and (c - run[1] == run[2] or (run[0] == run[1] and c - run[1] <= 2)):
            run[2] = c - run[1]
            run[1] = c
        else:
            runs.append([c, c, 1, ord(to) - c])
    return runs


def write_lower_case(path):
    items = [f"{{0x{first:X}, 0x{last:X}, {step}, {distance}}}," for first, last, step, distance in lower_case()]
    lines = [" ".join(items[k : k + 4]) for k in range(0, len(items), 4)]
    path.write_text(f"// Written by tests/golden/make_char_classes.py from tokenizers {__version__}. {{first, last, step, distance}}.\n"
                    + "\n".join(lines) + "\n")


def main():
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    accents = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    classes = [(1, matched(r"\p{L}+")), (2, matched(r"\p{N}+")), (4, numeric()), (8, word()), (16, matched(r"\s+")), (32, punctuation()),
               (64, vanishing(clean)), (128, vanishing(accents)), (256, vanishing(normalizers.StripAccents()))]
    bits = [0] * 0x110000
    for bit, members in classes:
        for c in members:
            bits[c] |= bit
    lines, last, row = [], 0, ""
    for c, value in enumerate(bits):
        if value != last:
            item = f"{{0x{c:X}, {value}}}, "
            if len(row) + len(item) > 108:
                lines.append(row.rstrip())
                row = ""
            row += item
            last = value
    lines.append(row.rstrip())
    root = pathlib.Path(__file__).resolve().parents[2]
    write_lower_case(root / "core/text/lowercase_ranges.inc")
    (root / "core/text/char_class_ranges.inc").write_text(
        f"// Written by tests/golden/make_char_classes.py from tokenizers {__version__}. {{first code point, classes from there on}}.\n"
        + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
