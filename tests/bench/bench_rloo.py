"""RLOO beside TRL's RLOOTrainer on SmolLM2-135M: 16 completions of 96 tokens (k = 4), KL .03, T .7, fp32, 2 threads, in the same run.

usage: bench_rloo.py BENCH_RLOO_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
Prints one line a program and method, and their ratio. Needs torch, transformers, trl and peft.
"""
import json
import resource
import statistics
import sys
import tempfile

from bench_sft import last_json, rows


def peer(folder, method, steps):
    """Runs in a process of its own, for its peak memory."""
    import time

    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import RLOOConfig, RLOOTrainer

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
    trainer = RLOOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), processing_class=tok, peft_config=lora, callbacks=[clock],
        reward_funcs=lambda completions, **_: [float(len(c)) / 100 for c in completions],
        train_dataset=Dataset.from_list([dict(prompt=row["prompt"]) for row in rows(96)]),
        args=RLOOConfig(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True, bf16=False,
                        gradient_checkpointing=False, disable_tqdm=True, learning_rate=5e-6, per_device_train_batch_size=16,
                        num_generations=4, max_completion_length=96, beta=0.03, temperature=0.7, max_steps=steps))
    trainer.train()
    lengths = [float(entry["completions/mean_length"]) for entry in trainer.state.log_history if "completions/mean_length" in entry]
    print(json.dumps(dict(what="rloo-" + method, step_s=clock.seconds, tokens=lengths,
                          peak_rss_gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)))


def main(arguments):
    if arguments[0] == "--peer":
        return peer(arguments[1], arguments[2], int(arguments[3]))
    steps = int(arguments[arguments.index("--steps") + 1]) if "--steps" in arguments else 3
    methods = [m for m in ("full", "lora") if m in arguments] or ["full", "lora"]
    program, folder = arguments[0], arguments[1]
    print(f"{'':10} {'':8} {'s/step':>8} {'tokens':>7} {'peak GiB':>9}")
    for method in methods:
        runs = [("tempera", last_json([program, folder, method, str(steps)]))]
        if "--ours" not in arguments:
            runs.append(("TRL", last_json([sys.executable, __file__, "--peer", folder, method, str(steps)])))
        for name, run in runs:
            print(f"{'rloo-' + method:10} {name:8} {statistics.median(run['step_s']):8.2f} {statistics.mean(run['tokens']):7.1f} "
                  f"{run['peak_rss_gib']:9.2f}", flush=True)
        if len(runs) == 2:
            ours, theirs = (statistics.median(run["step_s"]) for _, run in runs)
            memory = runs[0][1]["peak_rss_gib"] / runs[1][1]["peak_rss_gib"]
            print(f"{'':10} {'ratio':8} {theirs / ours:7.2f}x {'':7} {memory:8.2f}x", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
