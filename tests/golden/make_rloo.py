"""RLOO of a fixed rollout: advantages, KL, loss, clip shares and gradients.

The "trl" cases run the code of TRL 1.16's RLOOTrainer (its generation replaced by fixed tokens); the "paper" cases restate the
formulas of TRL 0.21's rloo_trainer.py, which the paper's code used, with completions ordered by prompt; the others (token-level ratio,
KL in the loss) are PyTorch's autograd on the formula in core/stats/rloo.h.

usage: make_rloo.py             writes rloo/expected.json and rloo/gradients.safetensors
"""
import json
import math
import random
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import RLOOConfig, RLOOTrainer

here = Path(__file__).parent
out = here / "rloo"
MODEL = here / "models" / "qwen2-tied"
ADAPTER = here / "models" / "qwen2-tied-qv"
K, EOS = 3, 0
KEPT = ["layers.0.self_attn.q_proj", "layers.1.self_attn.v_proj", "layers.1.mlp.down_proj", "layers.0.input_layernorm", "model.norm"]


def rollout():
    """Three prompts, three completions each; some end in EOS, some are cut."""
    rng = random.Random(5)
    groups = []
    for g in range(3):
        prompt = [rng.randrange(3, 320) for _ in range(4 + 3 * g)]
        completions = []
        for s in range(K):
            ids = [rng.randrange(3, 320) for _ in range(rng.randrange(2, 9))]
            completions.append(ids + [EOS] if (g + s) % 3 else ids)
        groups.append(dict(prompt=prompt, completions=completions))
    return groups


GROUPS = rollout()
PROMPTS = [g["prompt"] for g in GROUPS for _ in range(K)]
COMPLETIONS = [c for g in GROUPS for c in g["completions"]]
CUT = [c[-1] != EOS for c in COMPLETIONS]
nan = math.nan
ONE = [[1.0, 0.1, 0.1, 0.0, 0.1, 1.0, 0.1, 0.1, 0.1]]
TWO = [[1.0, 0.1, 2.5, 0.0, nan, 1.0, nan, nan, 0.1], [0.3, nan, -0.2, 0.7, nan, -3.0, nan, 0.4, 0.9]]

CASES = [
    dict(name="trl, lora", rules="trl", method="lora", rewards=ONE, weights=[1.0], kl_coef=0.05, temperature=1.0),
    dict(name="trl, lora, T 0.7, two rewards, clipped, normalised, cut masked", rules="trl", method="lora", rewards=TWO, weights=[1.0, 0.5],
         kl_coef=0.03, temperature=0.7, reward_clip=1.0, advantage_normalise=True, mask_truncated=True),
    dict(name="trl, full, tight clip", rules="trl", method="full", rewards=TWO, weights=[1.0, 0.5], kl_coef=0.05, temperature=1.3,
         clip_low=0.01, clip_high=0.02),
    dict(name="trl, full, no KL", rules="trl", method="full", rewards=ONE, weights=[1.0], kl_coef=0.0, temperature=1.0),
    dict(name="paper, lora", rules="paper", method="lora", rewards=ONE, weights=[1.0], kl_coef=0.03, temperature=0.7, missing_eos_penalty=1.0),
    dict(name="paper, full, rewards normalised", rules="paper", method="full", rewards=ONE, weights=[1.0], kl_coef=0.03, temperature=0.7,
         reward_normalise=True, reward_clip=1.1, advantage_normalise=True, advantage_epsilon=1e-8),
    dict(name="tokens, k3 in the loss", rules="autograd", method="lora", rewards=ONE, weights=[1.0], kl_coef=1e-5, temperature=0.7, ratio_level="token",
         kl_in="loss", kl_estimator="k3", clip_low=0.02, clip_high=0.03),
    dict(name="sequence, k2 in the loss", rules="autograd", method="full", rewards=ONE, weights=[1.0], kl_coef=0.1, temperature=1.0, kl_in="loss",
         kl_estimator="k2"),
]
DEFAULTS = dict(reward_clip=0.0, reward_normalise=False, advantage_normalise=False, advantage_epsilon=1e-4, missing_eos_penalty=0.0,
                mask_truncated=False, clip_low=0.2, clip_high=0.2, ratio_level="sequence", kl_in="reward", kl_estimator="k1")


def base():
    return AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager")


def set_adapter(model):
    """The adapter's weights, into one that get_peft_model() has made."""
    weights = load_file(ADAPTER / "adapter_model.safetensors")
    for name, p in model.named_parameters():
        if "lora_" in name:
            p.data = weights[name.replace(".default", "")].clone()


def scale(model, method, factor):
    """What the policy does between two looks: every adapter's B, or every weight, times a factor."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ("lora_B" in name) if method == "lora" else True:
                p.mul_(factor)


def logprobs(model, temperature):
    """Log-probability of every completion token, a list a completion, with gradients."""
    result = []
    for prompt, completion in zip(PROMPTS, COMPLETIONS):
        logits = model(input_ids=torch.tensor([prompt + completion])).logits[0, len(prompt) - 1:-1] / temperature
        result.append(logits.log_softmax(-1)[range(len(completion)), completion])
    return result


def trl_case(case):
    tok = AutoTokenizer.from_pretrained(MODEL)
    lora = LoraConfig(r=4, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM") if case["method"] == "lora" else None

    def reward(index):
        def give(completions, **_):
            return [None if math.isnan(x) else x for x in case["rewards"][index]]
        give.__name__ = f"reward_{index}"
        return give

    clip = case["reward_clip"]
    trainer = RLOOTrainer(
        model=base(), reward_funcs=[reward(i) for i in range(len(case["rewards"]))], peft_config=lora, processing_class=tok,
        train_dataset=Dataset.from_list([dict(prompt=f"prompt {i}") for i in range(12)]),
        args=RLOOConfig(output_dir=tempfile.mkdtemp(), report_to="none", use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
                        per_device_train_batch_size=len(PROMPTS), num_generations=K, max_completion_length=16, beta=case["kl_coef"],
                        temperature=case["temperature"], reward_weights=case["weights"], reward_clip_range=[-clip, clip] if clip else None,
                        normalize_advantages=case["advantage_normalise"], mask_truncated_completions=case["mask_truncated"],
                        epsilon=case["clip_low"], epsilon_high=case["clip_high"], max_steps=1))
    if lora:
        set_adapter(trainer.model)
    else:
        scale(trainer.model, "full", 1.02)
    trainer.model.train()
    trainer._generate = lambda prompts: (PROMPTS, COMPLETIONS, ["?"] * len(PROMPTS))
    batch = trainer._generate_and_score_completions([dict(prompt=str(i)) for i in range(len(PROMPTS))])
    metrics = {k: v[-1] for k, v in trainer._metrics["train"].items() if v}
    scale(trainer.model, case["method"], 1.03 if lora else 1.01)
    loss = trainer._compute_loss(trainer.model, batch)
    loss.backward()
    metrics |= {k: v[-1] for k, v in trainer._metrics["train"].items() if k.startswith(("clip_ratio", "entropy"))}
    metrics = {k: v for k, v in metrics.items() if not k.startswith("completions/") and not k.endswith("/std")}
    return dict(advantages=batch["advantages"].tolist(), old=batch["old_logps"].tolist(), loss=loss.item(), metrics=metrics), trainer.model


def own_case(case):
    model, reference = base(), base()
    if case["method"] == "lora":
        model = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
        set_adapter(model)
    else:
        scale(model, "full", 1.02)
    with torch.no_grad():
        old, ref = logprobs(model, case["temperature"]), logprobs(reference, case["temperature"])
    kl = torch.stack([(o - r).sum() for o, r in zip(old, ref)])
    scores = torch.tensor(case["rewards"][0])
    scores[torch.tensor(CUT)] -= case["missing_eos_penalty"]
    if case["reward_normalise"]:
        scores = (scores - scores.mean()) / (scores.std() + 1e-8)
        scores = torch.clamp(scores, -case["reward_clip"], case["reward_clip"])
    rlhf = scores - (case["kl_coef"] * kl if case["kl_in"] == "reward" else 0)
    grouped = rlhf.view(-1, K)
    advantages = (grouped - (grouped.sum(1, keepdim=True) - grouped) / (K - 1)).flatten()
    if case["advantage_normalise"]:
        advantages = (advantages - advantages.mean()) / (advantages.std() + case["advantage_epsilon"])

    scale(model, case["method"], 1.03 if case["method"] == "lora" else 1.01)
    new = logprobs(model, case["temperature"])

    def clipped(log_ratio, a):
        ratio = log_ratio.exp()
        return torch.max(-a * ratio, -a * torch.clamp(ratio, 1 - case["clip_low"], 1 + case["clip_high"]))

    def penalty(n, r):
        d = n - r
        return dict(k1=d, k2=d * d / 2, k3=torch.exp(-d) - 1 + d)[case["kl_estimator"]]

    in_loss = case["kl_coef"] if case["kl_in"] == "loss" else 0.0
    if case["ratio_level"] == "token":
        terms = [(clipped(n - o, a) + in_loss * penalty(n, r)).sum() for n, o, r, a in zip(new, old, ref, advantages)]
        loss = torch.stack(terms).sum() / sum(map(len, COMPLETIONS))
    else:
        terms = [clipped((n - o).sum(), a) + (in_loss * penalty(n, r)).sum() for n, o, r, a in zip(new, old, ref, advantages)]
        loss = torch.stack(terms).mean()
    loss.backward()
    return dict(advantages=advantages.tolist(), old=[o.sum().item() for o in old], loss=loss.item(), kl_sums=kl.tolist(), metrics={}), model


def run(case):
    case = DEFAULTS | case
    result, model = (trl_case if case["rules"] == "trl" else own_case)(case)
    squares, kept = 0.0, {}
    for name, p in model.named_parameters():
        if p.grad is None:
            continue
        squares += p.grad.double().square().sum().item()
        if any(part in name for part in KEPT) and ("lora" in name or case["method"] == "full"):
            name = name.replace("base_model.model.", "").replace(".default", "")
            kept[f"{case['name']}/{name}"] = p.grad.clone().contiguous()
    recipe = {k: v for k, v in case.items() if k not in ("name", "rewards")}
    recipe["rewards"] = [[None if math.isnan(x) else x for x in row] for row in case["rewards"]]
    return dict(name=case["name"], choices=recipe, grad_norm=squares ** 0.5, **result), kept


if __name__ == "__main__":
    out.mkdir(exist_ok=True)
    cases, gradients = [], {}
    for case in CASES:
        result, kept = run(case)
        cases.append(result)
        gradients |= kept
        print(result["name"], "loss", result["loss"], "norm", result["grad_norm"], [round(a, 4) for a in result["advantages"]], result["metrics"])
    (out / "expected.json").write_text(json.dumps(dict(k=K, groups=GROUPS, cases=cases), separators=(",", ":")) + "\n")
    save_file(gradients, out / "gradients.safetensors")
