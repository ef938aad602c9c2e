"""Five steps of transformers' Trainer on a tiny BERT and DistilBERT, dropout off: regression on scores, and Bradley-Terry with the loss and
metrics of TRL's RewardTrainer. Needs encoders/ (make_encoders.py).

usage: make_reward.py          writes reward/rows.jsonl and reward/expected.json
"""
import json
import tempfile
from collections import defaultdict
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments
from trl import RewardTrainer
from trl.trainer.utils import disable_dropout_in_model

here = Path(__file__).parent
out = here / "reward"
SYSTEM = "You are a helpful assistant."
ROWS = [
    dict(prompt="What is 2 + 2?", chosen="Two plus two is four.", rejected="Blue", score_chosen=8.5, score_rejected=2.0),
    dict(prompt="Name a colour.", chosen="Blue", rejected="An apple a day keeps the doctor away. " * 5, score_chosen=7.0, score_rejected=6.5),
    dict(prompt="Write about apples.", chosen="An apple a day. " * 8, rejected="No.", score_chosen=9.0, score_rejected=1.0),
    dict(prompt="Say please", chosen="please", rejected="It is long.", score_chosen=5.0, score_rejected=4.0),
    dict(prompt="Explain this.", chosen="the answer of the question is long", rejected="No answer, to nothing", score_chosen=6.0, score_rejected=3.5),
    dict(prompt="a question", chosen="an answer", rejected="an answer of four", score_chosen=3.0, score_rejected=2.5),
]
CASES = {
    "bert bradley-terry plain": dict(model="bert", objective="bradley-terry", text="plain"),
    "bert bradley-terry pair, margin, centred": dict(model="bert", objective="bradley-terry", text="pair", use_margin=True, center_rewards=0.01),
    "distilbert bradley-terry chat, added tokens": dict(model="distilbert", objective="bradley-terry", text="chat",
                                                        added_tokens=["<|im_start|>", "<|im_end|>"]),
    "distilbert regression plain": dict(model="distilbert", objective="regression", text="plain"),
    "deberta-v3 regression plain": dict(model="deberta-v3", objective="regression", text="plain"),
    "deberta-v2 bradley-terry plain": dict(model="deberta-v2", objective="bradley-terry", text="plain", schedule="cosine"),
}
common = dict(learning_rate=2e-3, schedule="linear", warmup_steps=1, weight_decay=0.1, max_grad_norm=1.0, max_steps=5, max_length=64, seed=3)


def encode(tok, form, row, answer):
    options = dict(truncation=True, max_length=common["max_length"], return_token_type_ids=True)
    if form == "pair":
        return tok(row["prompt"], answer, **options)
    if form == "plain":
        return tok(f"system\n{SYSTEM}\nuser\n{row['prompt']}\nassistant\n{answer}", **options)
    turns = [("system", SYSTEM), ("user", row["prompt"]), ("assistant", answer)]
    return tok("".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns), **options)


class Steps(TrainerCallback):
    def __init__(self):
        self.steps = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.steps.append({k: v for k, v in logs.items()})


class Regression(Trainer):
    """What HF's model computes itself: MSELoss on float labels."""


class BradleyTerry(Trainer):
    compute_loss = RewardTrainer.compute_loss

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._metrics = {"train": defaultdict(list), "eval": defaultdict(list)}
        self._total_train_tokens, self._tp_size = 0, 1

    def log(self, logs, *args, **kwargs):
        logs.update({k: sum(v) / len(v) for k, v in self._metrics["train"].items()})
        self._metrics["train"].clear()
        super().log(logs, *args, **kwargs)


def run(name, case):
    recipe = {**common, **case}
    tok = AutoTokenizer.from_pretrained(here / "encoders" / case["model"])
    model = AutoModelForSequenceClassification.from_pretrained(here / "encoders" / case["model"], dtype=torch.float32, attn_implementation="eager")
    if case.get("added_tokens"):
        tok.add_special_tokens(dict(additional_special_tokens=case["added_tokens"]))
        old = model.get_input_embeddings().weight.shape[0]
        ids = max(tok.get_vocab().values()) + 1
        if ids > old:
            model.resize_token_embeddings(ids)
            weight = model.get_input_embeddings().weight
            weight.data[old:] = weight.data[:old].mean(0)  # without mean_resizing's noise of variance 1e-9
    disable_dropout_in_model(model)
    types = case["model"] not in ("distilbert", "deberta-v3")

    def pad(rows):
        batch = tok.pad([{k: r[k] for k in ("input_ids", "attention_mask", "token_type_ids")} for r in rows], return_tensors="pt")
        if not types:
            batch.pop("token_type_ids")
        return dict(batch)

    regression = case["objective"] == "regression"
    if regression:
        rows = [dict(encode(tok, case["text"], r, r[side]), score=float(r["score_" + side])) for r in ROWS for side in ("chosen", "rejected")]
        collate = lambda items: dict(pad(items), labels=torch.tensor([i["score"] for i in items]))
    else:
        rows = [dict(chosen=dict(encode(tok, case["text"], r, r["chosen"])), rejected=dict(encode(tok, case["text"], r, r["rejected"])),
                     margin=r["score_chosen"] - r["score_rejected"]) for r in ROWS]

        def collate(items):
            batch = pad([i["chosen"] for i in items] + [i["rejected"] for i in items])
            if case.get("use_margin"):
                batch["margin"] = torch.tensor([i["margin"] for i in items])
            return batch

    steps = Steps()
    arguments = TrainingArguments(output_dir=tempfile.mkdtemp(), report_to="none", save_strategy="no", logging_steps=1, use_cpu=True, bf16=False,
                                  disable_tqdm=True, max_steps=recipe["max_steps"], per_device_train_batch_size=len(rows),
                                  learning_rate=recipe["learning_rate"], lr_scheduler_type=recipe["schedule"], warmup_steps=recipe["warmup_steps"],
                                  weight_decay=recipe["weight_decay"], max_grad_norm=recipe["max_grad_norm"], seed=recipe["seed"],
                                  remove_unused_columns=False)
    arguments.center_rewards_coefficient = recipe.get("center_rewards")
    trainer = (Regression if regression else BradleyTerry)(model=model, args=arguments, train_dataset=Dataset.from_list(rows), data_collator=collate,
                                                           callbacks=[steps])
    trainer.train()
    model.eval()
    with torch.no_grad():
        after = []
        for r in ROWS:
            for side in ("chosen", "rejected"):
                after.append(model(**pad([encode(tok, case["text"], r, r[side])])).logits.item())
    recipe["batch_size"] = len(rows)
    return dict(name=name, recipe=recipe, steps=steps.steps, after=after)


if __name__ == "__main__":
    out.mkdir(exist_ok=True)
    (out / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    results = [run(name, case) for name, case in CASES.items()]
    (out / "expected.json").write_text(json.dumps(results, separators=(",", ":")) + "\n")
    for r in results:
        print(r["name"], [(round(s["loss"], 5), round(s["grad_norm"], 4)) for s in r["steps"]], [round(a, 3) for a in r["after"]])
        print({k: v for k, v in r["steps"][0].items()})
