"""A language model that fits into a megabyte, and llama.cpp's own server to serve it. For tests of our client.

Random weights know nothing, so every answer is random; but whatever the server promises about an answer's shape
has to hold all the same. Runs in an environment of its own, which ``tests/servers`` makes::

    python tiny_model.py write FILE
    python tiny_model.py serve FILE [--embeddings]    # prints its address, ends with its input
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

BLOCKS, WIDTH, HEADS, FEED_FORWARD = 2, 256, 4, 512
CONTEXT = 16384
END = 256
BIAS = {'"': 0.9, "0": 0.8, "-": -1.0, "E": -1.0, "e": -0.2}
"""Random weights hardly ever end a string, and no grammar of llama.cpp's keeps a number between 0 and 1."""
TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant: "


def byte_alphabet() -> list[str]:
    """One printable character for each byte, in the way of GPT-2's vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def write(path: Path, seed: int = 1) -> None:
    """A llama of random weights over single bytes. The same file each time."""
    import gguf
    import numpy as np

    dice = np.random.default_rng(seed)
    alphabet = byte_alphabet()
    space = alphabet[ord(" ")]
    # The format asks for at least one merge of two tokens.
    tokens = [*alphabet, "<|end|>", space + space]
    kinds = [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL, gguf.TokenType.NORMAL]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{space} {space}"])
    writer.add_bos_token_id(END)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    def matrix(rows: int, columns: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return (dice.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    # The first dimension is the same for every token and stays so through all blocks: a bias for the last layer.
    embedding, output = np.sqrt(WIDTH, dtype=np.float32) * matrix(len(tokens), WIDTH), matrix(len(tokens), WIDTH)
    embedding[:, 0] = np.sqrt(WIDTH)
    output[:, 0] = 0
    for character, bias in BIAS.items():
        output[ord(character), 0] = bias
    writer.add_tensor("token_embd.weight", embedding)
    for block in range(BLOCKS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{block}.{name}.weight", np.ones(WIDTH, dtype=np.float32))
        for name in ("attn_q", "attn_k", "attn_v"):
            writer.add_tensor(f"blk.{block}.{name}.weight", matrix(WIDTH, WIDTH))
        attended, fed = 2 * matrix(WIDTH, WIDTH), matrix(WIDTH, FEED_FORWARD)
        attended[0] = fed[0] = 0
        writer.add_tensor(f"blk.{block}.attn_output.weight", attended)
        writer.add_tensor(f"blk.{block}.ffn_gate.weight", matrix(FEED_FORWARD, WIDTH))
        writer.add_tensor(f"blk.{block}.ffn_up.weight", matrix(FEED_FORWARD, WIDTH))
        writer.add_tensor(f"blk.{block}.ffn_down.weight", fed)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, dtype=np.float32))
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(path: Path, *, embeddings: bool) -> None:
    """Serve until standard input ends, so that no server outlives its test."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 4
    params.warmup = False
    params.verbosity = 0
    if embeddings:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("do", choices=["write", "serve"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--embeddings", action="store_true")
    asked = parser.parse_args()
    if asked.do == "write":
        write(asked.file)
    else:
        serve(asked.file, embeddings=asked.embeddings)


if __name__ == "__main__":
    main()
