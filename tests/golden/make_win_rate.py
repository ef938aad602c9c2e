"""Writes tests/golden/win_rate/cases.json: Wilson intervals by statsmodels, sign tests and bootstrap intervals by scipy.

usage: python3 tests/golden/make_win_rate.py      (numpy, scipy and statsmodels)
"""
import json
import pathlib

import numpy as np
from scipy.stats import binomtest, bootstrap
from statsmodels.stats.proportion import proportion_confint

FILE = pathlib.Path(__file__).resolve().parent / "win_rate" / "cases.json"
COUNTS = [(0, 0), (0, 1), (1, 0), (3, 3), (0, 7), (7, 0), (5, 12), (61, 79), (133, 67), (120, 80), (1, 999), (500, 500),
          (4800, 5200), (20000, 20700)]

wilson, sign = [], []
for wins, losses in COUNTS:
    for ties in (0, 5):
        n = wins + losses + ties
        if n:
            low, high = proportion_confint(wins, n, alpha=0.05, method="wilson")
            wilson.append({"successes": wins, "trials": n, "low": float(low), "high": float(high)})
    if wins + losses:
        sign.append({"wins": wins, "losses": losses, "p": float(binomtest(wins, wins + losses, 0.5).pvalue)})

rng = np.random.default_rng(5)
scores = []
for n, step in ((40, None), (200, None), (60, 1 / 3)):
    base = rng.normal(-3, 2, n)
    tuned = base + rng.normal(0.4, 1.5, n)
    if step:  # graded scores with ties
        base, tuned = (np.clip(np.round(x / step / 9) * step + 2 / 3, 0, 1) for x in (base, tuned))
    base, tuned = base.round(6), tuned.round(6)
    difference = tuned - base
    interval = bootstrap((difference,), np.mean, n_resamples=200_000, method="percentile", batch=2000,
                         rng=np.random.default_rng(1)).confidence_interval
    wins, losses = int((tuned > base).sum()), int((tuned < base).sum())
    scores.append({"base": base.tolist(), "tuned": tuned.tolist(), "wins": wins, "losses": losses,
                   "ties": n - wins - losses, "p": float(binomtest(wins, wins + losses, 0.5).pvalue),
                   "mean": float(difference.mean()), "low": float(interval.low), "high": float(interval.high),
                   "error": float(difference.std() / np.sqrt(n)), "grain": (step or 0) / n})

FILE.parent.mkdir(exist_ok=True)
FILE.write_text(json.dumps({"wilson": wilson, "sign": sign, "scores": scores}, indent=1) + "\n")
