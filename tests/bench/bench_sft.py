"""SFT beside TRL's SFTTrainer on SmolLM2-135M: the same Countdown rows, batch of 16, fp32, 2 threads, in the same run.

usage: bench_sft.py BENCH_SFT_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
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


def peer(folder, data, method, steps):
    """Runs in a process of its own, for its peak memory."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

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
    trainer = SFTTrainer(model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), train_dataset=Dataset.from_list(data),
                         processing_class=tok, peft_config=lora, callbacks=[clock],
                         args=SFTConfig(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True,
                                        bf16=False, gradient_checkpointing=False, disable_tqdm=True, learning_rate=5e-6,
                                        per_device_train_batch_size=16, max_steps=steps))
    trainer.train()
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps(dict(what="sft-" + method, step_s=clock.seconds, loss=losses,
                          peak_rss_gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)))


def last_json(command):
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "2"}).stdout
    return json.loads([line for line in text.splitlines() if line.startswith('{"')][-1])


def main(arguments):
    if arguments[0] == "--peer":
        return peer(arguments[1], rows(96), arguments[2], int(arguments[3]))
    steps = int(arguments[arguments.index("--steps") + 1]) if "--steps" in arguments else 3
    methods = [m for m in ("full", "lora") if m in arguments] or ["full", "lora"]
    program, folder = arguments[0], arguments[1]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows(96))
        file.flush()
        print(f"{'':10} {'':8} {'s/step':>8} {'peak GiB':>9}")
        for method in methods:
            runs = [("tempera", last_json([program, folder, file.name, method, str(steps)]))]
            if "--ours" not in arguments:
                runs.append(("TRL", last_json([sys.executable, __file__, "--peer", folder, method, str(steps)])))
            for name, run in runs:
                print(f"{'sft-' + method:10} {name:8} {statistics.median(run['step_s']):8.2f} {run['peak_rss_gib']:9.2f}", flush=True)
            if len(runs) == 2:
                ours, theirs = (statistics.median(run["step_s"]) for _, run in runs)
                memory = runs[0][1]["peak_rss_gib"] / runs[1][1]["peak_rss_gib"]
                print(f"{'':10} {'ratio':8} {theirs / ours:7.2f}x {memory:8.2f}x", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
