"""Golden files of tests/core/format, made by the reference libraries: safetensors 0.8.0, transformers 5.23.0, torch 2.15.0.

    python tests/golden/make_format.py        (writes tests/golden/format/)
"""
import json
import pathlib
import random
import shutil
import struct
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

OUT = pathlib.Path(__file__).parent / "format"


def single_file():
    torch.manual_seed(1)
    special = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 6.0e-8, 65504.0, 1.5])
    tensors = {
        "z.f32": torch.randn(3, 5),
        "a.f32": special.clone(),
        "m.f16": torch.randn(7, 3).half(),
        "special.f16": special.half(),
        "b.bf16": torch.randn(2, 2, 4).bfloat16(),
        "special.bf16": special.bfloat16(),
        "ids.i64": torch.tensor([1, -2, 2**40]),
        "mask.bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "quote\"back\\slash\u00e9\u4e2d": torch.ones(1),
    }
    save_file(tensors, OUT / "single.safetensors", metadata={"format": "pt"})
    values = {name: {"shape": list(t.shape), "bits": t.float().view(torch.int32).flatten().tolist() if t.numel() else []}
              for name, t in tensors.items() if t.is_floating_point()}
    (OUT / "single.json").write_text(json.dumps(values, indent=1))


def models():
    torch.manual_seed(2)
    sizes = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
                 num_key_value_heads=2, max_position_embeddings=256)
    qwen = Qwen2ForCausalLM(Qwen2Config(**sizes, eos_token_id=3, tie_word_embeddings=True, rope_theta=1e6))
    llama = LlamaForCausalLM(LlamaConfig(**sizes, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)))
    qwen.save_pretrained(OUT / "qwen2")
    llama.save_pretrained(OUT / "llama-sharded", max_shard_size="4KB")
    for name, model in {"qwen2": qwen, "llama-sharded": llama}.items():
        sums = {key: [list(t.shape), float(t.double().sum())] for key, t in model.state_dict().items()
                if not (name == "qwen2" and key == "lm_head.weight")}
        (OUT / f"{name}.json").write_text(json.dumps({"parameters": model.num_parameters(), "tensors": sums}, indent=1))


def accepted(blob, folder):
    path = folder / "case.safetensors"
    path.write_bytes(blob)
    try:
        with safe_open(path, framework="pt") as file:
            list(file.keys())
        return True
    except Exception:
        return False


def mutated_headers():
    """Small files and whether the Rust library takes them: what our reader has to agree with."""
    rng = random.Random(3)
    base = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
            "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
            "c": {"dtype": "U8", "shape": [], "data_offsets": [22, 23]},
            "d": {"dtype": "F16", "shape": [0, 7], "data_offsets": [23, 23]},
            "__metadata__": {"format": "pt"}}
    numbers = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 22, 23, 24, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -1, 1.0, None, "1"]
    types = ["F32", "F16", "BF16", "I64", "U8", "BOOL", "F4", "F6_E2M3", "F8_E4M3", "C64", "F64", "f32", "", "F33", "U16"]
    tokens = ['"', "{", "}", "[", "]", ":", ",", "0", "9", "-", ".", "e", " ", "\n", "\\", "\0", "\x01", "\u00e9", "null"]

    def structural(header):
        name = rng.choice("abcd")
        entry = header[name]
        kind = rng.randrange(9)
        if kind == 0: entry["data_offsets"][rng.randrange(2)] = rng.choice(numbers)
        elif kind == 1 and entry["shape"]: entry["shape"][rng.randrange(len(entry["shape"]))] = rng.choice(numbers)
        elif kind == 2: entry["shape"].append(rng.choice(numbers))
        elif kind == 3: entry["dtype"] = rng.choice(types)
        elif kind == 4: entry.pop(rng.choice(list(entry)))
        elif kind == 5: header.pop(rng.choice(list(header)))
        elif kind == 6: entry["data_offsets"] = rng.sample(range(25), rng.randrange(4))
        elif kind == 7: header["__metadata__"] = rng.choice([{}, {"k": "v"}, {"k": 1}, {"k": None}, [], "x", 3])
        else: header["e"] = {"dtype": rng.choice(types), "shape": [rng.choice([0, 1, 2])],
                             "data_offsets": [rng.choice([0, 23, 24]), rng.choice([23, 24, 25, 27, 31])]}

    cases = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        while len(cases) < 2000:
            header = json.loads(json.dumps(base))
            kind = rng.random()
            for _ in range(rng.choice([0, 1, 1, 1, 2])):
                try:
                    structural(header)
                except (KeyError, AttributeError, IndexError):
                    pass
            text = bytearray(json.dumps(header, separators=(",", ":") if rng.random() < .7 else (", ", ": ")).encode())
            if kind < .3:
                for _ in range(rng.randrange(1, 3)):
                    at, token = rng.randrange(len(text)), rng.choice(tokens).encode()
                    text[at:at + rng.randrange(2)] = token
            elif kind < .35:
                text[rng.randrange(len(text))] = rng.randrange(256)
            text += b" " * rng.randrange(3)
            length = len(text) + rng.choice([0] * 18 + [1, -1])
            blob = struct.pack("<Q", max(0, length)) + bytes(text) + bytes(23 + rng.choice([0] * 18 + [1, -1]))
            cases.append((blob, accepted(blob, folder)))
    with open(OUT / "mutated.bin", "wb") as file:
        for blob, verdict in cases:
            file.write(struct.pack("<IB", len(blob), verdict) + blob)
    print("mutated headers:", len(cases), "accepted:", sum(v for _, v in cases))


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    single_file()
    models()
    mutated_headers()
