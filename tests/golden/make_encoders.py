"""Tiny random BERT, DistilBERT and DeBERTa models and what transformers makes of them, for the engine's tests of encoders and reward models.

usage: make_encoders.py        writes encoders/<name>/ (Hugging Face folders) and encoders/expected.json
"""
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel,
                          DebertaV2Config, DebertaV2ForSequenceClassification, DistilBertConfig, DistilBertForSequenceClassification,
                          PreTrainedTokenizerFast)

out = Path(__file__).parent / "encoders"
VOCAB = 200
LENGTHS = [512, 17, 300, 3, 140]
SYSTEM = "You are a helpful assistant."
TEXTS = [
    ("What is 2 + 2?", "Two plus two is four."),
    ("Name a colour.", "Blue"),
    ("Say [SEP] twice, please", "It is [SEP] and [CLS]!"),
    ("Write a long text about apples.", "An apple a day keeps the doctor away. " * 90),
    ("Explain this: " + "the answer of the question is long, " * 80, "No."),
    ("", "Only an answer, to nothing"),
]


def tokenizer():
    corpus = [q + " " + a for q, a in TEXTS] + ["system user assistant " + SYSTEM]
    tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer()
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tok.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=VOCAB, special_tokens=special, show_progress=False))
    tok.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                                       special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    assert tok.get_vocab_size() <= VOCAB
    return PreTrainedTokenizerFast(tokenizer_object=tok, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]", model_max_length=512)


def unigram_tokenizer():
    """DeBERTa-v3's kind: Unigram pieces with Metaspace."""
    corpus = [q + " " + a for q, a in TEXTS] + ["system user assistant " + SYSTEM]
    tok = Tokenizer(models.Unigram())
    tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Strip(left=False)])
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    tok.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=VOCAB - 20, special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"],
                                                            unk_token="[UNK]", show_progress=False))
    tok.post_processor = processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
                                                       special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    assert tok.get_vocab_size() <= VOCAB
    return PreTrainedTokenizerFast(tokenizer_object=tok, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                                   model_max_length=512)


def kept(name, train):
    """The tokenizer that is there: the trainers choose among equals by chance, and reward/ stands on it."""
    return AutoTokenizer.from_pretrained(out / name) if (out / name / "tokenizer.json").exists() else train()


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if "norm" in name.lower() and name.endswith("weight"):
            p.data = 1 + 0.2 * torch.randn(p.shape, generator=g)
        elif name.endswith("bias"):
            p.data = 0.3 * torch.randn(p.shape, generator=g)
        elif "embeddings" in name:
            p.data = 0.5 * torch.randn(p.shape, generator=g)
        else:
            p.data = torch.randn(p.shape, generator=g) * (1.2 / p.shape[1] ** 0.5)
    return model.eval()


bert = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=512,
            num_labels=1, pad_token_id=0)
v3 = dict(bert, relative_attention=True, position_buckets=256, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"],
          position_biased_input=False, type_vocab_size=0, max_relative_positions=-1, layer_norm_eps=1e-7)
zoo = {
    "bert": BertForSequenceClassification(BertConfig(**bert)),
    "distilbert": DistilBertForSequenceClassification(DistilBertConfig(vocab_size=VOCAB, dim=32, hidden_dim=48, n_layers=2, n_heads=4,
                                                                       max_position_embeddings=512, num_labels=1, pad_token_id=0)),
    "deberta-v3": DebertaV2ForSequenceClassification(DebertaV2Config(**v3)),
    "deberta-v2": DebertaV2ForSequenceClassification(DebertaV2Config(
        **dict(v3, position_buckets=-1, max_relative_positions=64, norm_rel_ebd="none", share_att_key=False, position_biased_input=True,
               type_vocab_size=2, pos_att_type=["c2p", "p2c"], embedding_size=24))),
    "deberta-c2p": DebertaV2ForSequenceClassification(DebertaV2Config(**dict(v3, position_buckets=32, pos_att_type=["c2p"]))),
}


def scores_of(model, tok, form):
    rows = []
    as_bert = dict(truncation=True, max_length=512, return_tensors="pt", return_token_type_ids=True)  # what BertTokenizer returns
    for question, answer in TEXTS:
        if form == "pair":
            inputs = tok(question, answer, **as_bert, split_special_tokens=True)
        elif form == "plain":
            inputs = tok(f"system\n{SYSTEM}\nuser\n{question}\nassistant\n{answer}", **as_bert,
                         split_special_tokens=True)
        else:
            turns = [("system", SYSTEM), ("user", question), ("assistant", answer)]
            text = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns)
            inputs = tok(text, **as_bert)
        ids = {k: v for k, v in inputs.items() if k in ("input_ids", "attention_mask", "token_type_ids")}
        if model.config.model_type != "bert":
            ids.pop("token_type_ids", None)
        with torch.no_grad():
            rows.append(dict(ids=inputs["input_ids"][0].tolist(), score=model(**ids).logits.item()))
    return rows


def main():
    out.mkdir(exist_ok=True)
    wordpiece, unigram = kept("bert", tokenizer), kept("deberta-v3", unigram_tokenizer)
    g = torch.Generator().manual_seed(5)
    rows = [torch.randint(5, VOCAB, (n,), generator=g).tolist() for n in LENGTHS]
    types = [[0] * (n // 2) + [1] * (n - n // 2) for n in LENGTHS]
    mask = torch.tensor([[1] * n + [0] * (512 - n) for n in LENGTHS])
    ids = torch.tensor([r + [0] * (512 - len(r)) for r in rows])
    type_ids = torch.tensor([t + [0] * (512 - len(t)) for t in types])
    expected = dict(rows=rows, types=types, texts=TEXTS, system=SYSTEM, models={})
    for seed, (name, model) in enumerate(zoo.items()):
        randomise(model, seed)
        tok = unigram if name == "deberta-v3" else wordpiece
        model.save_pretrained(out / name)
        tok.save_pretrained(out / name)
        model = AutoModelForSequenceClassification.from_pretrained(out / name, dtype=torch.float32, attn_implementation="eager").eval()
        inputs = dict(input_ids=ids, attention_mask=mask)
        if name != "distilbert":
            inputs["token_type_ids"] = type_ids
        with torch.no_grad():
            logits = model(**inputs).logits[:, 0].tolist()
        forms = {form: scores_of(model, tok, form) for form in ("pair", "plain", "chat")} if name in ("bert", "distilbert", "deberta-v3") else {}
        expected["models"][name] = dict(logits=logits, forms=forms)
        print(name, logits, {f: [round(r["score"], 4) for r in rs] for f, rs in forms.items()})
    # A base encoder as sentence-transformers saves MiniLM: no "bert.", no classifier.
    base = BertModel(BertConfig(**bert))
    randomise(base, 9)
    base.save_pretrained(out / "bert-base")
    wordpiece.save_pretrained(out / "bert-base")
    (out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
