"""DPO beside TRL's DPOTrainer on SmolLM2-135M: the same Countdown pairs, batches of 2 accumulated 4 times, fp32, 2 threads, in the same run.

usage: bench_dpo.py BENCH_DPO_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
Our time is all from the end of loading on, the pass of the reference model over every pair included, divided by the steps; TRL's is the
median of its steps.
"""
import statistics
import sys

from trl_peer import compare, rows, train_peer


def pairs(count):
    made = rows(count)
    return [dict(prompt=a["prompt"], chosen=a["completion"], rejected=b["completion"]) for a, b in zip(made, made[1:] + made[:1])]


def peer(folder, method, steps):
    train_peer("DPO", folder, pairs(96), method, steps, "loss",
               dict(beta=0.1, per_device_train_batch_size=2, gradient_accumulation_steps=4))


if __name__ == "__main__":
    compare(sys.argv[1:], __file__, "dpo", pairs(96), peer, "loss", ours_seconds=statistics.mean)
