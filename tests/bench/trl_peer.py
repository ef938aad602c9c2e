"""What the benchmarks of trainers share: Countdown rows, TRL's trainer with a clock in a process of its own, and the table.

usage of each: bench_METHOD.py BENCH_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
Prints one line a program and method, and their ratio. Needs torch, transformers, trl and peft.
"""
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TEMPLATE = ("A conversation between User and Assistant. The user asks a question, and the Assistant solves it. "
            "The assistant first thinks about the reasoning process in the mind and then provides the user with the answer.\n"
            "User: Using the numbers {nums}, create an equation that equals {target}. You can use basic arithmetic operations "
            "(+, -, *, /) and each number can only be used once. Show your work in <think> </think> tags. And return the final "
            "answer in <answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>.\n"
            "Assistant: Let me solve this step by step.\n<think>")


def rows(count, seed=0):
    rng, out = random.Random(seed), []
    while len(out) < count:
        nums = [rng.randint(1, 99) for _ in range(rng.choice([3, 4]))]
        order = nums[:]
        rng.shuffle(order)
        text, value = str(order[0]), order[0]
        for x in order[1:]:
            op = rng.choice("+-*/")
            if op == "/" and value % x:
                op = "-"
            text = f"({text} {op} {x})"
            value = {"+": value + x, "-": value - x, "*": value * x, "/": value // x}[op]
        if 10 <= value <= 99:
            out.append(dict(prompt=TEMPLATE.format(nums=nums, target=value),
                            completion=f" The target is {value}. Combine the numbers {nums} one at a time. {text} = {value} </think>\n"
                                       f"<answer> {text} </answer>"))
    return out


def train_peer(kind, folder, data, method, steps, metric, settings, **arguments):
    """Trains with TRL's trainer of that kind ("SFT", "DPO", "RLOO") and prints its steps, `metric` of each and the peak memory."""
    import torch
    import trl
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self):
            self.seconds = []

        def on_step_begin(self, *args, **kwargs):
            self.begin = time.time()

        def on_step_end(self, *args, **kwargs):
            self.seconds.append(time.time() - self.begin)

    torch.set_num_threads(2)
    tok = AutoTokenizer.from_pretrained(folder)
    tok.pad_token = tok.eos_token
    lora = LoraConfig(r=8, lora_alpha=32, lora_dropout=0.05, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
                      task_type="CAUSAL_LM") if method == "lora" else None
    clock = Clock()
    config = getattr(trl, kind + "Config")(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1,
                                           use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
                                           learning_rate=5e-6, max_steps=steps, **settings)
    trainer = getattr(trl, kind + "Trainer")(model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), args=config,
                                             train_dataset=Dataset.from_list(data), processing_class=tok, peft_config=lora,
                                             callbacks=[clock], **arguments)
    trainer.train()
    print(json.dumps({"what": f"{kind.lower()}-{method}", "step_s": clock.seconds,
                      metric: [float(entry[metric]) for entry in trainer.state.log_history if metric in entry],
                      "peak_rss_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}))


def last_json(command):
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "2"}).stdout
    return json.loads([line for line in text.splitlines() if line.startswith('{"')][-1])


def compare(arguments, script, name, data, peer, metric, ours_seconds=statistics.median):
    """Our program on `data` (rows of a file, or None) beside `script --peer`, which calls peer(folder, method, steps)."""
    if arguments[0] == "--peer":
        return peer(arguments[1], arguments[2], int(arguments[3]))
    steps = int(arguments[arguments.index("--steps") + 1]) if "--steps" in arguments else 3
    methods = [m for m in ("full", "lora") if m in arguments] or ["full", "lora"]
    program, folder = arguments[0], arguments[1]
    print(f"{'':10} {'':8} {'s/step':>8} {'peak GiB':>9}  {metric}")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in data or [])
        file.flush()
        for method in methods:
            ours = last_json([program, folder, *([file.name] if data else []), method, str(steps)])
            runs = [("tempera", ours, ours_seconds(ours["step_s"]))]
            if "--ours" not in arguments:
                theirs = last_json([sys.executable, script, "--peer", folder, method, str(steps)])
                runs.append(("TRL", theirs, statistics.median(theirs["step_s"])))
            for who, run, seconds in runs:
                values = " ".join(f"{value:.4g}" for value in run[metric])
                print(f"{name + '-' + method:10} {who:8} {seconds:8.2f} {run['peak_rss_gib']:9.2f}  {values}", flush=True)
            if len(runs) == 2:
                memory = runs[0][1]["peak_rss_gib"] / runs[1][1]["peak_rss_gib"]
                print(f"{'':10} {'ratio':8} {runs[1][2] / runs[0][2]:7.2f}x {memory:8.2f}x", flush=True)
