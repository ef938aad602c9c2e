"""Writes resources/models/tiny: tokenizer.json, tokenizer_config.json, config.json, generation_config.json.

The tiny base's tokenizer is of Qwen2's kind (NFC, Qwen's split pattern, byte-level BPE) without a single merge: its
vocabulary is the 256 bytes, so every character of ASCII is one token and every text can be written. <think>, </think>,
<answer>, </answer> are one token each and, as in Qwen3, not "special": decoding keeps them, the verifier needs them.

usage: python tests/golden/make_tiny_tokenizer.py     (needs tokenizers and, for the check at the end, transformers)
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "resources" / "models" / "tiny"
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")
END = "<|endoftext|>"
TAGS = ["<think>", "</think>", "<answer>", "</answer>"]


def byte_symbols():
    """The 256 printable characters that stand for bytes, in the order of the bytes (GPT-2's bytes_to_unicode)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols, extra = {}, 0
    for byte in range(256):
        symbols[byte] = chr(byte) if byte in printable else chr(256 + extra)
        extra += byte not in printable
    return [symbols[byte] for byte in range(256)]


def make_tokenizer():
    vocabulary = {symbol: byte for byte, symbol in enumerate(byte_symbols())}  # the id of a byte is the byte
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tokenizer.add_special_tokens([AddedToken(END, special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    return tokenizer


CONFIG = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": 261, "hidden_size": 192,
    "intermediate_size": 576, "num_hidden_layers": 4, "num_attention_heads": 6, "num_key_value_heads": 6,
    "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
    "tie_word_embeddings": True, "attention_dropout": 0.0, "use_sliding_window": False, "initializer_range": 0.05,
    "use_cache": True, "bos_token_id": None, "eos_token_id": 256, "pad_token_id": 256, "torch_dtype": "float32"}
GENERATION = {"do_sample": True, "temperature": 0.7, "max_new_tokens": 128, "eos_token_id": 256, "pad_token_id": 256}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer()
    tokenizer.save(str(FOLDER / "tokenizer.json"))
    tokens = {str(256 + i): {"content": token, "lstrip": False, "normalized": False, "rstrip": False,
                             "single_word": False, "special": token == END} for i, token in enumerate([END, *TAGS])}
    write("tokenizer_config.json", {
        "tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": tokens, "add_prefix_space": False,
        "bos_token": None, "eos_token": END, "pad_token": END, "unk_token": None, "model_max_length": 2048,
        "clean_up_tokenization_spaces": False, "errors": "replace"})
    write("config.json", CONFIG)
    write("generation_config.json", GENERATION)
    check(tokenizer)


def write(name, value):
    (FOLDER / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def check(tokenizer):
    from transformers import AutoConfig, AutoTokenizer
    loaded = AutoTokenizer.from_pretrained(FOLDER)
    for text in ["3 17 42:31\n42-17=25 3\n<answer>(42-17)+3</answer>", "Größe 漢字 🦉\t x\r\n", "<think> 1</think>"]:
        ids = loaded(text)["input_ids"]
        assert ids == tokenizer.encode(text).ids, text
        assert loaded.decode(ids, skip_special_tokens=True) == text, text
    assert loaded("1<answer>2")["input_ids"] == [49, 259, 50] and loaded.eos_token_id == 256
    assert AutoConfig.from_pretrained(FOLDER).vocab_size == len(loaded) == 261
    print("wrote", FOLDER)


if __name__ == "__main__":
    main()
