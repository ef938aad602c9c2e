"""Tiny random Qwen2 and Llama models, LoRA adapters written by PEFT, and their logits in transformers, for the engine's tests.

usage: make_models.py          writes models/<name>/ (Hugging Face folders), models/<name>-<adapter>/ (PEFT folders) and
                               models/logits.safetensors
"""
import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

out = Path(__file__).parent / "models"
VOCAB = 320


def tokenizer():
    text = ["Using the numbers [3, 17, 42], create an equation that equals 62. (3 + 17) + 42 = 62 <think> </think> <answer> </answer>",
            "The target is 10. Combine the numbers one at a time: 4 * 5 - 10 = 10, then check the answer, then try again."]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                 pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(text, trainers.BpeTrainer(vocab_size=VOCAB - 4, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                                                      initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return PreTrainedTokenizerFast(tokenizer_object=tok, eos_token="<|endoftext|>", pad_token="<|endoftext|>")


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if "norm" in name:
            p.data = 1 + 0.2 * torch.randn(p.shape, generator=g)
        elif name.endswith("bias"):
            p.data = 0.3 * torch.randn(p.shape, generator=g)
        elif "embed" in name or "lm_head" in name:
            p.data = 0.35 * torch.randn(p.shape, generator=g)
        else:
            p.data = torch.randn(p.shape, generator=g) * (1.2 / p.shape[1] ** 0.5)
    model.tie_weights()
    return model.eval()


common = dict(vocab_size=VOCAB, num_hidden_layers=2, max_position_embeddings=512, bos_token_id=None, eos_token_id=0)
zoo = {
    "qwen2-tied": Qwen2ForCausalLM(Qwen2Config(**common, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2,
                                               tie_word_embeddings=True, rms_norm_eps=1e-6)),
    "qwen2-untied": Qwen2ForCausalLM(Qwen2Config(**common, hidden_size=48, intermediate_size=80, num_attention_heads=3, num_key_value_heads=1,
                                                 tie_word_embeddings=False, rms_norm_eps=1e-5)),
    "llama-tied": LlamaForCausalLM(LlamaConfig(**common, hidden_size=96, intermediate_size=128, num_attention_heads=6, num_key_value_heads=2,
                                               tie_word_embeddings=True, rms_norm_eps=1e-5,
                                               rope_parameters=dict(rope_type="default", rope_theta=100000.0))),
    "llama-rope": LlamaForCausalLM(LlamaConfig(**common, hidden_size=64, intermediate_size=72, num_attention_heads=4, num_key_value_heads=4,
                                               tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
                                               rope_parameters=dict(rope_type="llama3", rope_theta=500000.0, factor=4.0, low_freq_factor=1.0,
                                                                    high_freq_factor=4.0, original_max_position_embeddings=32))),
}
adapters = {
    "qwen2-tied": {"qv": dict(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"]),
                   "all": dict(r=4, lora_alpha=6, target_modules="all-linear", use_rslora=True, rank_pattern={"q_proj": 2, "layers.1.mlp.down_proj": 3},
                               alpha_pattern={"q_proj": 5, "layers.0.self_attn.o_proj": 9})},
    "llama-rope": {"attn": dict(r=8, lora_alpha=32, lora_dropout=0.05, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"]),
                   "regex": dict(r=3, lora_alpha=3, target_modules=r".*\.(gate_proj|down_proj)", layers_to_transform=None)},
}

PROMPTS = ["Using the numbers [3, 17, 42], create an equation that equals 62.", "4 * 5", "<think> The target is 10. éß 漢"]


def logits_of(model, tok, tensors, name):
    rows = [tok(p).input_ids for p in PROMPTS]
    for side in ("left", "right"):
        tok.padding_side = side
        batch = tok(PROMPTS, return_tensors="pt", padding=True)
        mask = batch.attention_mask
        position_ids = (mask.cumsum(1) - 1).clamp(min=0)
        with torch.inference_mode():
            y = model(input_ids=batch.input_ids, attention_mask=mask, position_ids=position_ids).logits
        for i, row in enumerate(rows):
            tensors[f"{name}.{side}.{i}"] = y[i][mask[i].bool()].contiguous().clone()
            tensors[f"ids.{i}"] = torch.tensor(row, dtype=torch.int32)


if __name__ == "__main__":
    shutil.rmtree(out, ignore_errors=True)
    tok, tensors = tokenizer(), {}
    for seed, (name, model) in enumerate(zoo.items()):
        folder = out / name
        randomise(model, seed).save_pretrained(folder)
        tok.save_pretrained(folder)
        if name == "llama-rope":  # the spelling of transformers 4, which most folders on the hub still have
            config = json.loads((folder / "config.json").read_text())
            rope = config.pop("rope_parameters")
            config["rope_theta"] = rope.pop("rope_theta")
            config["rope_scaling"] = rope
            (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        logits_of(model, tok, tensors, name)
        for adapter, options in adapters.get(name, {}).items():
            torch.manual_seed(seed)
            base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
            peft = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **options)).eval()
            for parameter, p in peft.named_parameters():
                if "lora_B" in parameter:
                    p.data = 0.2 * torch.randn(p.shape)
            base_model = peft.peft_config["default"]
            base_model.base_model_name_or_path = f"../{name}"
            peft.save_pretrained(out / f"{name}-{adapter}")
            (out / f"{name}-{adapter}" / "README.md").unlink(missing_ok=True)
            config = json.loads((out / f"{name}-{adapter}" / "adapter_config.json").read_text())
            if isinstance(config["target_modules"], list):  # PEFT writes a set: the order is another one every time
                config["target_modules"].sort()
            (out / f"{name}-{adapter}" / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
            logits_of(peft, tok, tensors, f"{name}-{adapter}")
    save_file(tensors, out / "logits.safetensors")
