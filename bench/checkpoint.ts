import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, sizeOf } from '@lethe/core';
import { type LlamaConfig, layoutOf } from '@lethe/model';

/** Numbers that are drawn; a tensor repeats them from a place of its own on, because half a billion take minutes to draw. */
const DRAWN = 2 ** 20;

/** `config.json` as transformers reads it. */
const configOf = (config: LlamaConfig) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: config.vocabSize,
  hidden_size: config.hiddenSize,
  intermediate_size: config.intermediateSize,
  num_hidden_layers: config.layers,
  num_attention_heads: config.heads,
  num_key_value_heads: config.keyValueHeads,
  head_dim: config.headSize,
  hidden_act: 'silu',
  max_position_embeddings: config.maxPositions,
  rms_norm_eps: config.normEpsilon,
  rope_theta: config.ropeTheta,
  attention_bias: false,
  mlp_bias: false,
  tie_word_embeddings: config.tiedHead,
  bos_token_id: 0,
  eos_token_id: 0,
});

/** The bytes of numbers as a file has them. */
function bytesOf(numbers: Float32Array, half: boolean): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  // the upper half of a float is the bfloat16 below it
  return half ? bytes.filter((_, i) => i % 4 >= 2) : bytes;
}

/** `length` bytes of a tensor: those of the numbers drawn from byte `from` on, over and over. */
function* repeated(drawn: Uint8Array, from: number, length: number): Generator<Uint8Array> {
  for (let at = 0, place = from; at < length; place = 0) {
    const piece = drawn.subarray(place, place + length - at);
    yield piece;
    at += piece.length;
  }
}

/**
 * Writes a checkpoint of a Llama shape with random weights into an existing folder, front to back, so that it may be larger than
 * memory. Its tokenizer knows one token: benchmarks feed numbers.
 */
async function writeRandomCheckpoint(folder: string, config: LlamaConfig, dtype: 'F32' | 'BF16'): Promise<void> {
  const random = createRandom(1, 'bench');
  const half = dtype === 'BF16';
  const width = half ? 2 : 4;
  const drawn = bytesOf(random.normals(DRAWN, 0.02), half);
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { stored, shape, transposed } of layoutOf(config)) {
    const start = end;
    end += width * sizeOf(shape);
    header[stored] = { dtype, shape: transposed ? shape.toReversed() : shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  const head = Buffer.from(json + ' '.repeat((8 - (json.length % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  try {
    await file.write(Buffer.concat([length, head]));
    for (const { stored, shape } of layoutOf(config)) {
      const count = sizeOf(shape);
      const pieces = shape.length === 1 ? [bytesOf(new Float32Array(count).fill(1), half)]
        : repeated(drawn, width * random.fork(stored).below(DRAWN), width * count);
      for (const bytes of pieces) await file.write(bytes);
    }
  } finally {
    await file.close();
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...configOf(config), dtype: half ? 'bfloat16' : 'float32' }));
  const tokenizer = {
    model: { type: 'BPE', vocab: { '<|endoftext|>': 0 }, merges: [] },
    added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
  };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
}

/** Writes such a checkpoint into a temporary folder, and removes it when it has been used. */
export async function withRandomCheckpoint<T>(config: LlamaConfig, dtype: 'F32' | 'BF16', use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-bench-'));
  try {
    await writeRandomCheckpoint(folder, config, dtype);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
