"""What the `tokenizers` library for Python does with the same texts, for `npm run bench -- --data --against-tokenizers PYTHON`.

Opens the tokenizer anew, as every round does on the other side, tokenizes every text on one thread, and prints one line of JSON: milliseconds
elapsed, milliseconds of processor, tokens, version.
"""
import json
import sys
import time

import tokenizers

file, texts = sys.argv[1:]
with open(texts, encoding="utf-8") as lines:
    texts = json.load(lines)
tokenizer = tokenizers.Tokenizer.from_file(file)
elapsed, processor = time.perf_counter(), time.process_time()
tokens = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
elapsed, processor = time.perf_counter() - elapsed, time.process_time() - processor
print(json.dumps({"elapsed": 1000 * elapsed, "processor": 1000 * processor, "tokens": tokens, "version": tokenizers.__version__}))
