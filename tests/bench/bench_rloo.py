"""RLOO beside TRL's RLOOTrainer on SmolLM2-135M: 16 completions of 96 tokens (k = 4), KL .03, T .7, fp32, 2 threads, in the same run.

usage: bench_rloo.py BENCH_RLOO_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
"""
import sys

from trl_peer import compare, rows, train_peer


def peer(folder, method, steps):
    train_peer("RLOO", folder, [dict(prompt=row["prompt"]) for row in rows(96)], method, steps, "completions/mean_length",
               dict(per_device_train_batch_size=16, num_generations=4, max_completion_length=96, beta=0.03, temperature=0.7),
               reward_funcs=lambda completions, **_: [float(len(c)) / 100 for c in completions])


if __name__ == "__main__":
    compare(sys.argv[1:], __file__, "rloo", None, peer, "completions/mean_length")
