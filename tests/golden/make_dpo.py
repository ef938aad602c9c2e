"""Ten DPO steps of TRL's DPOTrainer on the tiny models: tokens, losses, gradient norms and the other metrics.

usage: make_dpo.py             writes dpo/rows.jsonl, dpo/conversations.jsonl and dpo/expected.json
"""
import json
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer

from make_sft import start_as_tempera

here = Path(__file__).parent
out = here / "dpo"

ROWS = [
    dict(prompt="Using the numbers [3, 17, 42], create an equation that equals 62.", chosen=" (3 + 17) + 42 = 62 <answer> 3 + 17 + 42 </answer>",
         rejected=" 3 * 17 = 51"),
    dict(prompt="The target is 10. 4 * 5", chosen=" - 10 = 10", rejected=" + 10 = 30, then try again."),
    dict(prompt="Combine the num", chosen="bers one at a time: 4 * 5 - 10 = 10", rejected=" nothing"),  # a token may span the boundary
    dict(prompt="check", chosen=" the answer<|endoftext|>", rejected=" it"),  # one ends in EOS already
    dict(prompt="then try again. éß 漢字", chosen=" 👍🏽 ok", rejected=" no"),
    dict(prompt="Using the numbers [1, 2], create an equation that equals 3. " * 6, chosen="dropped: the prompt fills", rejected="everything"),
    dict(prompt="short", chosen=" The target is 10. Combine the numbers one at a time: 4 * 5 - 10 = 10, then check the answer, then try again. " * 2,
         rejected=" cut too? " * 3),
    dict(prompt="<think>", chosen=" </think>", rejected=" <answer>"),
    dict(prompt="6 * 7 =", chosen=" 42", rejected=" 41, 42 or 43"),
]
CONVERSATIONS = [
    dict(chosen=[dict(role="user", content="6 * 7 ="), dict(role="assistant", content="42")],
         rejected=[dict(role="user", content="6 * 7 ="), dict(role="assistant", content="41 <think>")]),
    dict(chosen=[dict(role="system", content="Be brief."), dict(role="user", content="check"), dict(role="assistant", content="the answer"),
                 dict(role="user", content="again"), dict(role="assistant", content="10")],
         rejected=[dict(role="system", content="Be brief."), dict(role="user", content="check"), dict(role="assistant", content="the answer"),
                   dict(role="user", content="again"), dict(role="assistant", content="")]),
    dict(chosen=[dict(role="user", content="try éß"), dict(role="assistant", content="漢字")],
         rejected=[dict(role="user", content="try éß"), dict(role="assistant", content=" no")]),
]
CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
MAX_LENGTH = 64
common = dict(learning_rate=5e-4, schedule="linear", warmup_steps=2, weight_decay=0.1, max_grad_norm=1.0, batch_size=8, accumulation=1,
              max_length=MAX_LENGTH, seed=7, beta=0.1, loss="sigmoid", label_smoothing=0.0, method="full")
lora = dict(method="lora", lora_r=4, lora_alpha=8, lora_dropout=0, lora_targets=["q_proj", "v_proj", "down_proj"], learning_rate=5e-3)
CASES = {
    "qwen2 full": dict(model="qwen2-tied"),
    "llama full, accumulated": dict(model="llama-rope", batch_size=2, accumulation=4, max_grad_norm=0.5),
    "qwen2 lora": dict(model="qwen2-tied") | lora,
    "llama lora, accumulated": dict(model="llama-rope") | lora | dict(lora_targets=["all-linear"], batch_size=2, accumulation=4),
    "hinge": dict(model="llama-tied", loss="hinge", learning_rate=1e-4),
    "ipo": dict(model="llama-tied", loss="ipo"),
    "robust": dict(model="llama-tied", loss="robust", label_smoothing=0.1, beta=0.3),
}


class Recorder(DPOTrainer):
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
            entry = {k: v for k, v in logs.items() if k != "loss"}
            self.steps.append(dict(loss=self.trainer.step_loss, **entry))  # the log's own loss is rounded
            self.trainer.step_loss = 0.0


def make_trainer(recipe, tok, rows, collect):
    folder = here / "models" / recipe["model"]
    targets = recipe.get("lora_targets")
    config = LoraConfig(r=recipe["lora_r"], lora_alpha=recipe["lora_alpha"], lora_dropout=0.0, task_type="CAUSAL_LM",
                        target_modules="all-linear" if targets == ["all-linear"] else targets) if recipe["method"] == "lora" else None
    trainer = Recorder(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), processing_class=tok, train_dataset=Dataset.from_list(rows),
        peft_config=config, callbacks=[collect],
        args=DPOConfig(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True, bf16=False,
                       gradient_checkpointing=False, disable_tqdm=True, max_steps=10, per_device_train_batch_size=recipe["batch_size"],
                       gradient_accumulation_steps=recipe["accumulation"], learning_rate=recipe["learning_rate"],
                       lr_scheduler_type=recipe["schedule"], warmup_steps=recipe["warmup_steps"], weight_decay=recipe["weight_decay"],
                       max_grad_norm=recipe["max_grad_norm"], max_length=recipe["max_length"], seed=recipe["seed"], beta=recipe["beta"],
                       loss_type=[recipe["loss"]], label_smoothing=recipe["label_smoothing"]))
    collect.trainer = trainer
    return trainer


def tokens_of(trainer):
    # As the collator cuts them.
    return [dict(prompt=r["prompt_ids"], chosen=r["chosen_ids"][:MAX_LENGTH - len(r["prompt_ids"])],
                 rejected=r["rejected_ids"][:MAX_LENGTH - len(r["prompt_ids"])]) for r in trainer.train_dataset]


def run(name, case):
    recipe = common | case
    tok = AutoTokenizer.from_pretrained(here / "models" / recipe["model"])
    collect = Collect()
    trainer = make_trainer(recipe, tok, ROWS, collect)
    if recipe["method"] == "lora":
        start_as_tempera(trainer.model, recipe["seed"])
    tokens = tokens_of(trainer)
    trainer.train()
    return dict(name=name, recipe=recipe, tokens=tokens, steps=collect.steps)


def conversations():
    tok = AutoTokenizer.from_pretrained(here / "models/qwen2-tied")
    tok.chat_template = CHATML
    return tokens_of(make_trainer(common | dict(model="qwen2-tied"), tok, CONVERSATIONS, Collect()))


if __name__ == "__main__":
    out.mkdir(exist_ok=True)
    for name, rows in (("rows", ROWS), ("conversations", CONVERSATIONS)):
        (out / f"{name}.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    results = [run(name, case) for name, case in CASES.items()]
    expected = dict(cases=results, chat_template=CHATML, conversations=conversations())
    (out / "expected.json").write_text(json.dumps(expected, indent=None, separators=(",", ":")) + "\n")
    for r in results:
        print(r["name"], len(r["tokens"]), [round(s["loss"], 4) for s in r["steps"]], [round(s["grad_norm"], 3) for s in r["steps"]])
