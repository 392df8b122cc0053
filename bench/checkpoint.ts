import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom, sizeOf } from '@lethe/core';
import { type LlamaConfig, layoutOf } from '@lethe/model';

/** Numbers that are drawn; a tensor repeats them from a place of its own on, because half a billion take minutes to draw. */
const DRAWN = 2 ** 20;
const PIECE = 2 ** 21;

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

/** The bytes of `count` numbers with a standard deviation of `scale`, or of ones. */
function* bytesOf(drawn: Float32Array, count: number, from: number, scale: number | null, half: boolean): Generator<Uint8Array> {
  for (let at = 0; at < count; at += PIECE) {
    const piece = new Float32Array(Math.min(PIECE, count - at)).fill(1);
    if (scale !== null) for (let i = 0; i < piece.length; i++) piece[i] = scale * drawn[(from + at + i) % DRAWN]!;
    if (!half) yield new Uint8Array(piece.buffer);
    else {
      // the upper half of a float is the bfloat16 below it
      const words = new Uint16Array(piece.buffer);
      yield new Uint8Array(Uint16Array.from(piece, (_, i) => words[2 * i + 1]!).buffer);
    }
  }
}

/**
 * Writes a checkpoint of a Llama shape with random weights into an existing folder, front to back, so that it may be larger than
 * memory. Its tokenizer knows one token: benchmarks feed numbers.
 */
export async function writeRandomCheckpoint(folder: string, config: LlamaConfig, dtype: 'F32' | 'BF16'): Promise<void> {
  const random = createRandom(1, 'bench');
  const drawn = random.normals(DRAWN, 1);
  const width = dtype === 'F32' ? 4 : 2;
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
      const scale = shape.length === 1 ? null : 0.02;
      for (const bytes of bytesOf(drawn, sizeOf(shape), random.fork(stored).below(DRAWN), scale, dtype === 'BF16')) await file.write(bytes);
    }
  } finally {
    await file.close();
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...configOf(config), dtype: dtype === 'F32' ? 'float32' : 'bfloat16' }));
  const tokenizer = {
    model: { type: 'BPE', vocab: { '<|endoftext|>': 0 }, merges: [] },
    added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
  };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
}
