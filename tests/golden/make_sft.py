"""Ten SFT steps of TRL's SFTTrainer on the tiny models: tokens, labels, losses, gradient norms and the other metrics.

usage: make_sft.py             writes sft/rows.jsonl and sft/expected.json
"""
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

here = Path(__file__).parent
out = here / "sft"

ROWS = [
    dict(prompt="Using the numbers [3, 17, 42], create an equation that equals 62.", completion=" (3 + 17) + 42 = 62 <answer> 3 + 17 + 42 </answer>"),
    dict(prompt="The target is 10. 4 * 5", completion=" - 10 = 10"),
    dict(prompt="Combine the num", completion="bers one at a time: 4 * 5 - 10 = 10"),  # a token may span the boundary
    dict(prompt="check", completion=" the answer<|endoftext|>"),  # ends in EOS already
    dict(prompt="then try again. éß 漢字", completion=" 👍🏽 ok"),
    dict(prompt="Using the numbers [1, 2], create an equation that equals 3. " * 6, completion="truncated away: no label is left"),
    dict(prompt="short", completion=" The target is 10. Combine the numbers one at a time: 4 * 5 - 10 = 10, then check the answer, then try again. " * 2),
    dict(prompt="<think>", completion=" </think>"),
    dict(prompt="6 * 7 =", completion=" 42"),
]
MAX_LENGTH = 64
common = dict(learning_rate=3e-3, schedule="cosine", warmup_steps=2, weight_decay=0.1, max_grad_norm=1.0, batch_size=4, accumulation=2,
              max_length=MAX_LENGTH, seed=7)
CASES = {
    "qwen2 full": dict(model="qwen2-tied", method="full", train_on="completion"),
    "llama full, biases, linear": dict(model="llama-rope", method="full", train_on="completion", schedule="linear", adam_beta2=0.95,
                                       max_grad_norm=0.5),
    "llama all tokens, constant": dict(model="llama-tied", method="full", train_on="all", schedule="constant", batch_size=5),
    "qwen2 lora": dict(model="qwen2-tied", method="lora", train_on="completion", lora_r=4, lora_alpha=8, lora_dropout=0,
                       lora_targets=["q_proj", "v_proj", "down_proj"], learning_rate=2e-2),
    "llama lora all-linear": dict(model="llama-rope", method="lora", train_on="completion", lora_r=3, lora_alpha=12, lora_dropout=0,
                                  lora_targets=["all-linear"], learning_rate=2e-2),
}
MODULES = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]


def philox_uniform(count, seed, stream, substream):
    """core/base/random.h: uniform() of the first `count` numbers."""
    n = np.arange((count + 3) // 4, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    c = [n, np.full_like(n, substream), np.full_like(n, stream & 0xFFFFFFFF), np.full_like(n, stream >> 32)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & mask, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return (np.stack(c, 1).reshape(-1)[:count] >> np.uint64(8)).astype(np.float64) * 2.0**-24


def start_as_tempera(model, seed):
    """The adapters' A as attach_lora() draws them."""
    for name, p in model.named_parameters():
        if "lora_A" not in name:
            continue
        parts = name.split(".layers.")[1].split(".")
        stream = int(parts[0]) * len(MODULES) + MODULES.index(".".join(parts[1:3])) + 1
        u = philox_uniform(p.numel(), seed, stream, 0x10A)
        p.data = torch.tensor(((2 * u - 1) / p.shape[1] ** 0.5).astype(np.float32)).reshape(p.shape)


class Recorder(SFTTrainer):
    step_loss = 0.0

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        self.step_loss += loss.item()
        return loss


class Collect(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "grad_norm" in logs:
            entry = {k: logs[k] for k in ("grad_norm", "learning_rate", "entropy", "mean_token_accuracy", "num_tokens", "epoch")}
            self.steps.append(dict(loss=self.trainer.step_loss, **entry))  # the log's own loss is rounded
            self.trainer.step_loss = 0.0


def run(name, case):
    recipe = dict(adam_beta2=0.999) | common | case
    folder = here / "models" / recipe["model"]
    tok = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    targets = recipe.get("lora_targets")
    lora = LoraConfig(r=recipe["lora_r"], lora_alpha=recipe["lora_alpha"], lora_dropout=0.0, task_type="CAUSAL_LM",
                      target_modules="all-linear" if targets == ["all-linear"] else targets) if recipe["method"] == "lora" else None
    rows = ROWS if recipe["train_on"] == "completion" else [dict(text=r["prompt"] + r["completion"]) for r in ROWS]
    schedule = "constant_with_warmup" if recipe["schedule"] == "constant" else recipe["schedule"]
    collect = Collect()
    trainer = Recorder(
        model=model, processing_class=tok, train_dataset=Dataset.from_list(rows), peft_config=lora, callbacks=[collect],
        args=SFTConfig(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True, bf16=False,
                       gradient_checkpointing=False, disable_tqdm=True, max_steps=10, per_device_train_batch_size=recipe["batch_size"],
                       gradient_accumulation_steps=recipe["accumulation"], learning_rate=recipe["learning_rate"], lr_scheduler_type=schedule,
                       warmup_steps=recipe["warmup_steps"], weight_decay=recipe["weight_decay"], max_grad_norm=recipe["max_grad_norm"],
                       adam_beta2=recipe["adam_beta2"], max_length=recipe["max_length"], seed=recipe["seed"]))
    collect.trainer = trainer
    if lora:
        start_as_tempera(trainer.model, recipe["seed"])
    tokens = [dict(ids=r["input_ids"], labels=r["labels"]) for r in trainer.train_dataset]
    trainer.train()
    return dict(name=name, recipe=recipe, tokens=tokens, steps=collect.steps)


if __name__ == "__main__":
    out.mkdir(exist_ok=True)
    (out / "rows.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in ROWS))
    results = [run(name, case) for name, case in CASES.items()]
    (out / "expected.json").write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n")
    for r in results:
        print(r["name"], len(r["tokens"]), [round(s["loss"], 4) for s in r["steps"]], [round(s["grad_norm"], 3) for s in r["steps"]])
