"""DPO beside TRL's DPOTrainer on SmolLM2-135M: the same Countdown pairs, batches of 2 accumulated 4 times, fp32, 2 threads, in the same run.

usage: bench_dpo.py BENCH_DPO_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
Prints one line a program and method, and their ratio. Needs torch, transformers, trl and peft. Our time is all from the end of loading on,
the pass of the reference model over every pair included, divided by the steps; TRL's is the median of its steps.
"""
import json
import resource
import statistics
import sys
import tempfile
import time

from bench_sft import last_json, rows


def pairs(count):
    made = rows(count)
    return [dict(prompt=a["prompt"], chosen=a["completion"], rejected=b["completion"]) for a, b in zip(made, made[1:] + made[:1])]


def peer(folder, data, method, steps):
    """Runs in a process of its own, for its peak memory."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

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
    trainer = DPOTrainer(model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), train_dataset=Dataset.from_list(data),
                         processing_class=tok, peft_config=lora, callbacks=[clock],
                         args=DPOConfig(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True,
                                        bf16=False, gradient_checkpointing=False, disable_tqdm=True, learning_rate=5e-6, beta=0.1,
                                        per_device_train_batch_size=2, gradient_accumulation_steps=4, max_steps=steps))
    trainer.train()
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps(dict(what="dpo-" + method, step_s=clock.seconds, loss=losses,
                          peak_rss_gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)))


def main(arguments):
    if arguments[0] == "--peer":
        return peer(arguments[1], pairs(96), arguments[2], int(arguments[3]))
    steps = int(arguments[arguments.index("--steps") + 1]) if "--steps" in arguments else 3
    methods = [m for m in ("full", "lora") if m in arguments] or ["full", "lora"]
    program, folder = arguments[0], arguments[1]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(row) + "\n" for row in pairs(96))
        file.flush()
        print(f"{'':10} {'':8} {'s/step':>8} {'peak GiB':>9}")
        for method in methods:
            ours = last_json([program, folder, file.name, method, str(steps)])
            seconds = [statistics.mean(ours["step_s"])]
            memory = [ours["peak_rss_gib"]]
            if "--ours" not in arguments:
                theirs = last_json([sys.executable, __file__, "--peer", folder, method, str(steps)])
                seconds.append(statistics.median(theirs["step_s"]))
                memory.append(theirs["peak_rss_gib"])
            for name, s, m in zip(("tempera", "TRL"), seconds, memory):
                print(f"{'dpo-' + method:10} {name:8} {s:8.2f} {m:9.2f}", flush=True)
            if len(seconds) == 2:
                print(f"{'':10} {'ratio':8} {seconds[1] / seconds[0]:7.2f}x {memory[0] / memory[1]:8.2f}x", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
