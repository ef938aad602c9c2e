"""SFT beside TRL's SFTTrainer on SmolLM2-135M: the same Countdown rows, batch of 16, fp32, 2 threads, in the same run.

usage: bench_sft.py BENCH_SFT_PROGRAM MODEL_DIR [full] [lora] [--steps N] [--ours]
"""
import sys

from trl_peer import compare, rows, train_peer


def peer(folder, method, steps):
    train_peer("SFT", folder, rows(96), method, steps, "loss", dict(per_device_train_batch_size=16))


if __name__ == "__main__":
    compare(sys.argv[1:], __file__, "sft", rows(96), peer, "loss")
