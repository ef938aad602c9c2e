"""Writes tests/golden/chat_templates/cases.jsonl: conversations as transformers renders them with public chat templates.

The templates of Qwen2.5, Llama 3/3.1/3.2 and Gemma/Gemma 3 are the published ones as TRL ships them; those of Qwen2, SmolLM2 and plain
ChatML are written down here. Templates of other families are in it to be refused.
"""
import json
import pathlib

import jinja2
import trl
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

SHIPPED = pathlib.Path(trl.__file__).parent / "chat_templates"
GENERATION = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
LOOP = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
TEMPLATES = {
    "chatml": LOOP + GENERATION,
    "chatml, spelled out": """{% if not add_generation_prompt is defined %}
  {% set add_generation_prompt = false %}
{% endif %}
{%- for message in messages %}
    {{- "<|im_start|>" + message.role + "\\n" + message.content + "<|im_end|>\\n" }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|im_start|>assistant\\n" }}
{%- endif %}
""",
    "chatml, newline outside": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}\n"
                               "{% endfor %}" + GENERATION,
    "qwen2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful "
             "assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
             "{% endfor %}" + GENERATION,
    "smollm2": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a "
               "helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n'"
               " + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" + GENERATION,
    "qwen2.5": (SHIPPED / "qwen2_5.jinja").read_text(),
    "qwen2.5 base": (SHIPPED / "qwen2_5.jinja").read_text().replace("You are Qwen, created by Alibaba Cloud. ", ""),
    "llama-3": (SHIPPED / "llama3.jinja").read_text(),
    "llama-3.1": (SHIPPED / "llama3_1.jinja").read_text(),
    "llama-3.2": (SHIPPED / "llama3_2.jinja").read_text(),
    "gemma": (SHIPPED / "gemma.jinja").read_text(),
    "gemma-3": (SHIPPED / "gemma3.jinja").read_text(),
}
UNKNOWN = {
    "zephyr": "{% for message in messages %}{{'<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n'}}{% endfor %}"
              "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}",
    "chatml without newline": LOOP.replace(" + '\n'}}", "}}") + GENERATION,
    "chatml with a trim": LOOP.replace("message['content']", "message['content'] | trim") + GENERATION,
    "chatml with thoughts": LOOP + GENERATION.replace("assistant\n", "assistant\n<think>\n"),
    "chatml with a second system": LOOP + "{{ '<|im_start|>system\nObey<|im_end|>\n' }}" + GENERATION,
    "unclosed": "{% for message in messages", "empty tag": "{{", "letters": "hello", "brace": "{",
    **{name: (SHIPPED / f"{name}.jinja").read_text() for name in ("qwen3", "phi3", "deepseek_r1_distill", "qwen2_5_training", "llama3_training")},
}
CONVERSATIONS = [
    [("user", "What is 2 + 2?")],
    [("system", "Be brief."), ("user", "Hi")],
    [("user", "a"), ("assistant", "b"), ("user", "c")],
    [("system", "  spaces \n"), ("user", " \u00a0\u3000x\u200b \x1c\n"), ("assistant", "\n\ny\t"), ("user", "<|im_end|>'\"{{ 7*7 }}{% x %}")],
    [("user", ""), ("assistant", "日本 🙂")],
]


def main():
    out = pathlib.Path(__file__).parent / "chat_templates"
    out.mkdir(exist_ok=True)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token="<BOS>")
    lines = []
    for name, template in TEMPLATES.items():
        cases = []
        for conversation in CONVERSATIONS:
            messages = [{"role": r, "content": c} for r, c in conversation]
            for prompt in (True, False):
                try:
                    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=prompt,
                                                         **({"date_string": "01 Feb 2025"} if name == "llama-3.2" else {}))
                except jinja2.exceptions.TemplateError:
                    text = None
                cases.append({"messages": messages, "add_generation_prompt": prompt, "text": text})
        lines.append({"name": name, "template": template, "cases": cases})
    lines += [{"name": name, "template": template, "cases": None} for name, template in UNKNOWN.items()]
    (out / "cases.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


if __name__ == "__main__":
    main()
