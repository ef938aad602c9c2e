"""Golden files of tests/core/format/tst_gguf*, made by gguf 0.19.0, transformers 5.23.0, tokenizers, torch 2.15.0.

    python tests/golden/make_gguf.py        (writes tests/golden/gguf/)

blocks.gguf, blocks.bin   random blocks of every quantisation, and what gguf-py makes of them (float32, in tensor order)
values.gguf               metadata of every type
llama.gguf, qwen2.gguf    tiny random models with tokenizers, as convert_hf_to_gguf.py would write them; llama/ and qwen2/
                          are the Hugging Face folders they come from. llama.cpp's logits on them are checked against
                          transformers' here, so that the files are known to be right.
"""
import json
import pathlib
import shutil

import gguf
import llama_cpp
import numpy
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

OUT = pathlib.Path(__file__).parent / "gguf"
TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Where the half-precision scales stand in a block.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "self_attn.q_proj": "attn_q",
         "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def blocks():
    rng = numpy.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "test")
    expected = []
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = 2048 // elements
        raw = rng.integers(0, 256, (count, size), dtype=numpy.uint8)
        if name in SCALES:  # finite scales: what comes of NaN differs in payload bits that mean nothing
            for at in SCALES[name]:
                halves = (rng.standard_normal(count) * rng.choice([1e-7, 1e-3, 1, 100], count)).astype(numpy.float16)
                raw[:, at:at + 2] = halves.view(numpy.uint8).reshape(count, 2)
        elif name == "F32":
            raw = rng.standard_normal(2048, dtype=numpy.float32).view(numpy.uint8)
        elif name == "F16":
            raw = rng.standard_normal(2048).astype(numpy.float16).view(numpy.uint8)
        else:
            raw = (rng.standard_normal(2048, dtype=numpy.float32).view(numpy.uint32) >> 16).astype(numpy.uint16).view(numpy.uint8)
        rows = raw.reshape(4, -1)
        expected.append(gguf.quants.dequantize(rows.view(numpy.float32) if name == "F32" else rows, kind).astype(numpy.float32).ravel())
        writer.add_tensor(name, rows, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (OUT / "blocks.bin").write_bytes(numpy.concatenate(expected).tobytes())


def values():
    writer = gguf.GGUFWriter(OUT / "values.gguf", "test")
    for kind, value in {"uint8": 200, "int8": -100, "uint16": 60000, "int16": -30000, "uint32": 4000000000, "int32": -2000000000,
                        "uint64": 2**64 - 1, "int64": -2**60, "float32": 1e-5, "float64": 1e-300, "bool": True,
                        "string": "caf\u00e9"}.items():
        getattr(writer, f"add_{kind}")(f"test.{kind}", value)
    writer.add_array("test.strings", ["", "one", "\u4e2d"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -1.5])
    writer.add_array("test.flags", [True, False])
    writer.add_custom_alignment(64)
    writer.add_tensor("a", numpy.arange(3, dtype=numpy.float32))
    writer.add_tensor("b", numpy.arange(6, dtype=numpy.float16).reshape(2, 3))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tokenizer(pre, special, merges):
    vocabulary = {token: i for i, token in enumerate(special)}
    for letter in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[letter] = len(vocabulary)
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    result = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    if pre == "smollm":
        result.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    else:
        result.normalizer = normalizers.NFC()
        result.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN), "isolated"),
                                                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    result.decoder = decoders.ByteLevel()
    result.post_processor = processors.ByteLevel(trim_offsets=False)
    result.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return result


def permute(values, heads):
    return values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def model(name, model, pre, special, merges):
    config = model.config
    for parameter in model.parameters():  # biases and norms that show
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(OUT / name)
    tokens = tokenizer(pre, special, merges)
    tokens.save(str(OUT / name / "tokenizer.json"))
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    vocabulary = [token for token, _ in sorted(tokens.get_vocab().items(), key=lambda item: item[1])]
    padded = vocabulary + [f"[PAD{i}]" for i in range(len(vocabulary), config.vocab_size)]
    kinds = [3 if token in special else 5 if i >= len(vocabulary) else 1 for i, token in enumerate(padded)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(padded)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_uint32("tokenizer.ggml.eot_token_id", 0)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    state = model.state_dict()
    if config.tie_word_embeddings:
        state.pop("lm_head.weight")
    if config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    for key, tensor in state.items():
        path, kind = key.rsplit(".", 1)
        values = tensor.numpy()
        if name == "llama" and path.endswith("q_proj"):
            values = permute(values, config.num_attention_heads)
        if name == "llama" and path.endswith("k_proj"):
            values = permute(values, config.num_key_value_heads)
        if path.startswith("model.layers."):
            _, _, layer, part = path.split(".", 3)
            writer.add_tensor(f"blk.{layer}.{NAMES[part]}.{kind}", values)
        else:
            writer.add_tensor(f"{NAMES[path]}.{kind}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    check(name, model, tokens)


def llama3_factors(config):
    rope = config.rope_parameters
    dim = config.hidden_size // config.num_attention_heads
    freqs = 1.0 / (rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
    old, low, high = rope["original_max_position_embeddings"], rope["low_freq_factor"], rope["high_freq_factor"]
    factors = []
    for freq in freqs:
        wavelength = 2 * torch.pi / freq
        if wavelength < old / high:
            factors.append(1)
        elif wavelength > old / low:
            factors.append(rope["factor"])
        else:
            smooth = (old / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return torch.tensor(factors, dtype=torch.float32).numpy()


def check(name, model, tokens):
    llm = llama_cpp.Llama(str(OUT / f"{name}.gguf"), n_ctx=256, logits_all=True, verbose=False)
    text = "the 123 thin<|im_end|>\nhe's in  the"
    ids = tokens.encode(text).ids
    assert ids == llm.tokenize(text.encode(), add_bos=False, special=True), "tokenizer"
    ids = (ids * 6)[:120]
    llm.eval(ids)
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    error = numpy.abs(llm.scores[:len(ids)] - expected).max() / numpy.abs(expected).max()
    print(f"{name}: llama.cpp's logits differ from transformers' by {error:.1e}")
    assert error < 2e-3


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    torch.manual_seed(1)
    blocks()
    values()
    sizes = dict(vocab_size=288, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 max_position_embeddings=256, bos_token_id=1, eos_token_id=2)
    merges = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("i", "n"), ("1", "2"), ("\u0120", "in")]
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    model("llama", LlamaForCausalLM(LlamaConfig(**sizes, rope_theta=1000.0, rms_norm_eps=1e-5, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64))),
        "smollm", special, merges)
    model("qwen2", Qwen2ForCausalLM(Qwen2Config(**sizes, tie_word_embeddings=True)), "qwen2", special, merges)
