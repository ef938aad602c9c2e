"""Greedy continuations of the tiny random models in transformers, and distributions by vLLM's formulas.

usage: make_sampling.py        reads models/, writes sampling/greedy.json, sampling/steps.safetensors, sampling/filters.safetensors
"""
import itertools
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

here = Path(__file__).parent
out = here / "sampling"
out.mkdir(exist_ok=True)
MODELS = ["qwen2-tied", "qwen2-untied", "llama-tied", "llama-rope"]


def prompts(count):
    g = torch.Generator().manual_seed(3)
    words = "Using the numbers create an equation that equals target <think> 3 17 42 + - ( ) = é 漢 answer check again".split()
    for i in range(count):
        n = int(torch.randint(1, 40, (1,), generator=g))
        yield " ".join(words[int(j)] for j in torch.randint(0, len(words), (n,), generator=g))


def greedy(name):
    tok, model = AutoTokenizer.from_pretrained(here / "models" / name), AutoModelForCausalLM.from_pretrained(here / "models" / name)
    cases, steps = [], {}
    for i, text in enumerate(prompts(50)):
        ids = tok(text, return_tensors="pt").input_ids
        penalty = 1.0 if i % 5 else 1.3
        y = model.generate(ids, do_sample=False, max_new_tokens=48, repetition_penalty=penalty, eos_token_id=0, pad_token_id=0,
                           output_logits=True, return_dict_in_generate=True)
        new = y.sequences[0, ids.shape[1]:]
        raw = torch.stack(y.logits, 0)[:, 0].float()
        logp = raw.log_softmax(-1)[torch.arange(len(new)), new]
        # where two tokens are nearly equal, rounding may choose the other: what follows is not compared
        scores = raw.clone()
        for t in range(len(new)):
            seen = torch.cat([ids[0], new[:t]])
            scores[t, seen] = torch.where(scores[t, seen] < 0, scores[t, seen] * penalty, scores[t, seen] / penalty)
        top = scores.topk(2, -1).values
        sure = int(((top[:, 0] - top[:, 1]) > 1e-4).long().cumprod(0).sum())
        cases.append(dict(prompt=text, ids=ids[0].tolist(), penalty=penalty, new=new.tolist(), sure=sure,
                          logprobs=[round(x, 6) for x in logp.tolist()]))
        if i < 3:
            steps[f"{name}.{i}"] = raw[:24].contiguous()
    return cases, steps


def vllm_distribution(logits, seen, t, top_p, top_k, min_p, penalty):
    """vllm/v1/sample: repetition penalty (ops/penalties.py), temperature, min_p (logits_processor/builtin.py), top-k and top-p
    (ops/topk_topp_sampler.py, apply_top_k_top_p), softmax; greedy below 1e-5."""
    logits = logits.clone()
    mask = torch.zeros_like(logits, dtype=torch.bool)
    mask[seen] = True
    scale = torch.where(mask, penalty, 1.0)
    logits = torch.where(logits > 0, logits / scale, logits * scale)
    if t < 1e-5:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).double()
    logits = logits / t
    if min_p > 0:
        p = logits.softmax(-1)
        logits = logits.masked_fill(p < min_p * p.max(), -float("inf"))
    sort, index = logits.sort(descending=False)
    if 0 < top_k < len(logits):
        sort = sort.masked_fill(sort < sort[len(sort) - top_k], -float("inf"))
    if top_p < 1:
        drop = sort.softmax(-1).cumsum(-1) <= 1 - top_p
        drop[-1] = False
        sort = sort.masked_fill(drop, -float("inf"))
    return torch.empty_like(sort).scatter_(0, index, sort).softmax(-1).double()


def filters():
    g = torch.Generator().manual_seed(9)
    vocab, tensors = 307, {}
    tensors["logits"] = torch.stack([torch.randn(vocab, generator=g) * s for s in (0.5, 3.0, 9.0)])
    seen = torch.randint(0, vocab, (40,), generator=g)
    tensors["seen"] = seen.to(torch.int32)
    settings, dists = [], []
    for r, t, p, k, m, pen in itertools.product(range(3), (0.0, 0.3, 1.0, 1.5), (1.0, 0.9, 0.4), (0, 1, 20), (0.0, 0.05), (1.0, 1.2)):
        settings.append([r, t, p, k, m, pen])
        dists.append(vllm_distribution(tensors["logits"][r].double(), seen, t, p, k, m, pen))
    tensors["settings"] = torch.tensor(settings, dtype=torch.float32)
    tensors["distributions"] = torch.stack(dists).float().contiguous()
    return tensors


cases, steps = {}, {}
for name in MODELS:
    cases[name], s = greedy(name)
    steps |= s
with open(out / "greedy.json", "w") as f:
    json.dump(cases, f, ensure_ascii=False, separators=(",", ":"))
save_file(steps, out / "steps.safetensors")
save_file(filters(), out / "filters.safetensors")
print({k: [sum(c["sure"] for c in v), sum(len(c["new"]) for c in v)] for k, v in cases.items()})
