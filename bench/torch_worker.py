"""What PyTorch with transformers and peft does with the same model, for `npm run bench -- --against-torch PYTHON`.

Reads one word a line (train, compiled, score) and answers with one line of JSON: milliseconds elapsed, milliseconds of processor.
"""
import argparse
import json
import sys
import time

parser = argparse.ArgumentParser()
for name in ("model", "device", "sites"):
    parser.add_argument(f"--{name}", required=True)
for name in ("threads", "batch", "tokens", "targets", "options", "rank", "alpha"):
    parser.add_argument(f"--{name}", type=int, required=True)
args = parser.parse_args()

import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

torch.set_num_threads(args.threads)
torch.manual_seed(1)

base = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).to(args.device)
vocabulary = base.config.vocab_size

config = peft.LoraConfig(
    r=args.rank, lora_alpha=args.alpha, lora_dropout=0.0, target_modules=args.sites.split(","), task_type="CAUSAL_LM"
)
model = peft.get_peft_model(base, config)
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0)

ids = torch.randint(0, vocabulary, (args.batch, args.tokens), device=args.device)
labels = torch.full_like(ids, -100)
labels[:, -args.targets :] = ids[:, -args.targets :]


def train_with(forward):
    loss = forward(input_ids=ids, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss)


# every option is a sequence of its own: the prompt and the option's tokens
length = args.tokens - (args.options - 1) * args.targets
sequences = torch.randint(0, vocabulary, (args.batch * args.options, length), device=args.device)
wanted = sequences[:, -args.targets :, None]


def score():
    with torch.inference_mode(), model.disable_adapter():
        logits = model(input_ids=sequences).logits
        logp = torch.log_softmax(logits[:, -args.targets - 1 : -1], -1)
        return logp.gather(-1, wanted).sum((1, 2)).view(args.batch, args.options).argmax(1).tolist()


compiled = None


def train_compiled():
    global compiled
    if compiled is None:
        compiled = torch.compile(model)
    return train_with(compiled)


WORK = {"train": lambda: train_with(model), "compiled": train_compiled, "score": score}
print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}), flush=True)
for line in sys.stdin:
    begin, processor = time.perf_counter(), time.process_time()
    WORK[line.strip()]()
    answer = {"elapsed": 1000 * (time.perf_counter() - begin), "processor": 1000 * (time.process_time() - processor)}
    print(json.dumps(answer), flush=True)
