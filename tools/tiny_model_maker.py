"""Write a tiny random Llama with its tokenizer and chat template into the folder named.

Run by tiny_model.py with the interpreter of the vLLM environment; alone it needs transformers.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

VOCABULARY = 330
"""256 bytes, the special tokens, and a few merges so that not each character is a token."""
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>")
CORPUS = (
    "The engine answers each request with tokens, one after another, as they are made.",
    '{"name": "get_weather", "arguments": {"city": "Paris"}}',
    "user assistant system tool the quick brown fox jumps over the lazy dog",
)
TEMPLATE = """\
{%- if tools %}<|im_start|>system
# Tools
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}<tool_call>
{{ call.function | tojson }}
</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
SHAPE = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 65536,
}


def main(folder: str) -> None:
    """Write the model and the tokenizer, the same each time."""
    tokenizer = trained_tokenizer()
    tokenizer.save_pretrained(folder)
    importlib.import_module("torch").manual_seed(0)
    transformers = importlib.import_module("transformers")
    ends = tokenizer.convert_tokens_to_ids(list(SPECIAL[:3]))
    config = transformers.LlamaConfig(
        **SHAPE,
        vocab_size=len(tokenizer),
        bos_token_id=ends[0],
        eos_token_id=ends[2],
        tie_word_embeddings=False,
    )
    transformers.LlamaForCausalLM(config).to(
        importlib.import_module("torch").bfloat16
    ).save_pretrained(folder)
    for file in Path(folder).iterdir():
        file.chmod(0o644)  # weights are written for their owner alone; a pod has another user


def trained_tokenizer() -> Any:
    """Return a byte-level BPE tokenizer with the chat template."""
    tokenizers = importlib.import_module("tokenizers")
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(CORPUS, trainer)
    return importlib.import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=SPECIAL[0],
        eos_token=SPECIAL[2],
        chat_template=TEMPLATE,
    )


if __name__ == "__main__":
    main(sys.argv[1])
