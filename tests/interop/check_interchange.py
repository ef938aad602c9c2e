"""What Tempera writes is read back by the programs it is written for, and what they write is imported.

    packaging/bootstrap --peers
    ~/.cache/tempera/peers/bin/python tests/interop/check_interchange.py [--cli build/release/bin/tempera-cli] [--keep FOLDER]

Out: metrics as CSV and TensorBoard events (tensorboard's EventAccumulator), samples as Parquet and JSON lines (pyarrow and
datasets), preferences and best-of-N sets (a step of TRL's DPOTrainer and SFTTrainer on the tiny model). The truth they are held
against is the run's own database, read with Python's sqlite3. In: event files of torch.utils.tensorboard and tensorboardX, and the
completions that TRL's GRPOTrainer logs. Takes about two minutes; ends with "N checks passed" or the first that fails.
"""
import argparse
import array
import csv
import json
import math
import os
import pathlib
import sqlite3
import subprocess
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="")

import datasets
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import SummaryWriter as WriterX
from torch.utils.tensorboard import SummaryWriter
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = ROOT / "resources/models/tiny"
EVAL = "eval_"
passed = 0


def check(what, holds):
    global passed
    if not holds:
        raise SystemExit(f"FAILED: {what}")
    passed += 1
    print(f"ok: {what}")


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b


class Tempera:
    def __init__(self, program, folder):
        self.program, self.workspace = program, folder / "workspace"

    def __call__(self, *arguments):
        command = [self.program, *map(str, arguments), "--workspace", str(self.workspace)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"FAILED: {' '.join(command)}\n{done.stderr}")
        return done.stdout

    def run_of(self, kind):
        return next(folder for folder in (self.workspace / "runs").iterdir() if folder.name.startswith(kind + "-"))

    def metrics(self, run):
        """{name: {step: value}} from the database itself; NULL is NaN."""
        rows = sqlite3.connect(run / "run.db").execute(
            "SELECT name, step, value FROM metric JOIN metric_name ON metric_name.id = name_id ORDER BY step")
        metrics = {}
        for name, step, value in rows:
            metrics.setdefault(name, {})[step] = math.nan if value is None else value
        return metrics


def tag_of(metric):
    return "eval/" + metric[len(EVAL):] if metric.startswith(EVAL) else "train/" + metric


def check_metrics_csv(tempera, run, folder):
    tempera("export", run.name, "--metrics", folder / "metrics.csv")
    found = {}
    with open(folder / "metrics.csv", newline="") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            for name, text in row.items():
                if text:
                    found.setdefault(name, {})[step] = float(text)
    truth = tempera.metrics(run)
    check("metrics.csv has every metric, step and value, bit for bit", {name: list(map(repr, values.items())) for name, values in found.items()}
          == {name: list(map(repr, values.items())) for name, values in truth.items()})


def check_metrics_events(tempera, run, folder):
    tempera("export", run.name, "--metrics", "--format", "tensorboard", folder / "logs" / "ours")
    read = EventAccumulator(str(folder / "logs" / "ours"), size_guidance={"scalars": 0})
    read.Reload()
    truth = tempera.metrics(run)
    check("EventAccumulator finds every metric", set(read.Tags()["scalars"]) == {tag_of(name) for name in truth})
    (started,) = sqlite3.connect(tempera.workspace / "workspace.db").execute(
        "SELECT started_ms FROM run WHERE id = ?", (run.name,)).fetchone()
    for name, values in truth.items():
        events = read.Scalars(tag_of(name))
        if [event.step for event in events] != list(values):
            check(f"steps of {name}", False)
        if not all(same(event.value, float(np.float32(value))) for event, value in zip(events, values.values())):
            check(f"values of {name}", False)
        if not all(abs(event.wall_time - (started / 1000 + event.step)) < 1e-3 for event in events):
            check(f"wall times of {name}", False)
    check("steps, values (as float32) and wall times are right", True)


def check_samples(tempera, run, folder):
    for kind in ("parquet", "jsonl"):
        tempera("export", run.name, "--samples", folder / f"samples.{kind}")
    rows = pq.read_table(folder / "samples.parquet").to_pylist()
    truth = sqlite3.connect(run / "run.db").execute(
        "SELECT temperature, prompt_index, sample_index, prompt.text, facts, sample.text, token_ids, logprobs, logprob, finish,"
        " score, equation, value, reason FROM sample JOIN prompt USING (prompt_index)"
        " ORDER BY temperature, prompt_index, sample_index").fetchall()
    check(f"samples.parquet has {len(truth)} rows", len(rows) == len(truth) > 0)
    for row, stored in zip(rows, truth):
        (temperature, prompt, index, text, facts, completion, ids, logprobs, logprob, finish, score, equation, value, reason) = stored
        expected = dict(temperature=temperature, prompt_index=prompt, sample_index=index, prompt=text, text=completion,
                        token_ids=array.array("i", ids).tolist(), logprobs=array.array("f", logprobs).tolist(),
                        logprob=logprob, finish=finish, score=score, equation=equation, value=value, reason=reason)
        if {name: row[name] for name in expected} != expected or json.loads(row["facts"]) != json.loads(facts):
            check(f"sample {row} is as stored, {expected}", False)
    check("samples.parquet has every sample as it is stored", True)
    lines = [json.loads(line) for line in open(folder / "samples.jsonl")]
    check("samples.jsonl says the same", [{**line, "facts": None} for line in lines] == [{**row, "facts": None} for row in rows])
    for kind, builder in (("parquet", "parquet"), ("jsonl", "json")):
        loaded = datasets.load_dataset(builder, data_files=str(folder / f"samples.{kind}"), split="train", cache_dir=str(folder / "cache"))
        check(f"datasets loads samples.{kind}", len(loaded) == len(rows) and loaded[len(rows) - 1]["text"] == rows[-1]["text"]
              and loaded["token_ids"][:] == [row["token_ids"] for row in rows])


def trained(trainer):
    before = [weight.detach().clone() for weight in trainer.model.parameters()]
    result = trainer.train()
    moved = any(not torch.equal(a, b) for a, b in zip(before, trainer.model.parameters()))
    return math.isfinite(result.training_loss) and moved and trainer.state.global_step == 1


def training_arguments(folder, **more):
    return dict(output_dir=str(folder), max_steps=1, per_device_train_batch_size=2, learning_rate=1e-3, use_cpu=True, bf16=False,
                report_to="none", save_strategy="no", logging_steps=1, disable_tqdm=True, **more)


def check_answer_sets(tempera, run, folder):
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    for flag, columns, trainer, config in (
            ("--preferences", {"prompt", "chosen", "rejected", "score_chosen", "score_rejected"}, DPOTrainer, DPOConfig),
            ("--best-of-n", {"prompt", "completion", "score"}, SFTTrainer, SFTConfig)):
        for kind, builder in (("parquet", "parquet"), ("jsonl", "json")):
            path = folder / f"set{flag}.{kind}"
            tempera("export", run.name, flag, path)
            rows = datasets.load_dataset(builder, data_files=str(path), split="train", cache_dir=str(folder / "cache"))
            check(f"{path.name} has the columns that TRL takes", set(rows.column_names) == columns)
            model = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
            check(f"{trainer.__name__} trains on {path.name}, {len(rows)} rows",
                  trained(trainer(model=model, args=config(**training_arguments(folder / "trl", max_length=128)),
                                  train_dataset=rows, processing_class=tokenizer)))


def imported(tempera, *arguments):
    reports = json.loads(tempera("import", *arguments, "--json"))
    return reports if isinstance(reports, list) else [reports]


def check_import_of_events(tempera, folder):
    for name, writer_type in (("torch", SummaryWriter), ("tensorboardX", WriterX)):
        logs = folder / "foreign" / name
        written = {"train/loss": {}, "eval/loss": {}, "train/odd": {}}
        with writer_type(str(logs)) as writer:
            writer.add_text("note", "no scalar")
            writer.add_histogram("weights", np.arange(10.0), 0)
            for step in range(0, 50, 5):
                for tag, value in (("train/loss", 3.0 / (step + 1)), ("train/odd", [math.nan, math.inf, -1e30][step % 3])):
                    writer.add_scalar(tag, value, step)
                    written[tag][step] = float(np.float32(value))
            writer.add_scalar("eval/loss", 0.1, 45)
            written["eval/loss"][45] = float(np.float32(0.1))
        (report,) = imported(tempera, "tensorboard", logs)
        found = tempera.metrics(tempera.workspace / "runs" / report["id"])
        check(f"events of {name} are imported", {tag_of(metric) for metric in found} == set(written)
              and all(list(values) == list(written[tag_of(metric)]) and all(map(same, values.values(), written[tag_of(metric)].values()))
                      for metric, values in found.items()))


def length(completions, **_):
    return [float(len(text)) for text in completions]


def sometimes(completions, **_):
    return [None if i % 2 else 0.5 for i in range(len(completions))]


def check_import_of_completions(tempera, folder):
    prompts = [f"{a} {a + 1} {a + 2}:{3 * a}\n" for a in range(2, 6)]
    model = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    arguments = training_arguments(folder / "grpo", num_generations=2, max_completion_length=16, log_completions=True,
                                   num_completions_to_print=0)
    trainer = GRPOTrainer(model=model, args=GRPOConfig(**{**arguments, "per_device_train_batch_size": 4}),
                          reward_funcs=[length, sometimes],
                          train_dataset=datasets.Dataset.from_dict({"prompt": prompts}),
                          processing_class=AutoTokenizer.from_pretrained(TINY))
    trainer.train()
    written = pd.concat(pd.read_parquet(path) for path in sorted((folder / "grpo" / "completions").glob("*.parquet")))
    (report,) = imported(tempera, "trl", folder / "grpo")
    rows = sqlite3.connect(tempera.workspace / "runs" / report["id"] / "run.db").execute(
        "SELECT prompt, text, advantage, rewards FROM rollout_sample JOIN rollout USING (step, group_index)").fetchall()
    expected = [(row["prompt"], row["completion"], row["advantage"]) for _, row in written.iterrows()]
    check("TRL's own completions are imported", len(rows) > 0 and sorted(row[:3] for row in rows) == sorted(expected))
    rewards = [name for name in written.columns if name not in ("step", "prompt", "completion", "advantage")]
    totals = {(row["prompt"], row["completion"]): {name: row[name] for name in rewards} for _, row in written.iterrows()}
    check(f"with their rewards ({', '.join(rewards)})", len(rewards) == 2 and
          all(same(math.nan if value is None else value, totals[row[:2]][name])
              for row in rows for name, value in json.loads(row[3]).items()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", default=str(ROOT / "build/release/bin/tempera-cli"))
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for what is made, which then stays")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        tempera = Tempera(options.cli, folder)
        tempera("run", "figure-5", "--quiet", "--threads", 1, "--set", "sft.examples=800", "--set", "sft.eval_steps=10",
                "--set", "sweep.problems=6", "--set", "sweep.n=4")
        sft, sweep = tempera.run_of("sft"), tempera.run_of("sweep")
        check_metrics_csv(tempera, sft, folder)
        check_metrics_events(tempera, sft, folder)
        check_samples(tempera, sweep, folder)
        check_answer_sets(tempera, sweep, folder)
        check_import_of_events(tempera, folder)
        check_import_of_completions(tempera, folder)
    print(f"{passed} checks passed")


main()
