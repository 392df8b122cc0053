import { join } from 'node:path';
import { type Arrays, makeFolder, transposed, writeWhole } from '@lethe/core';
import { type LlamaConfig, type StoredTensor, layoutOf, writeSafetensors } from '@lethe/model';

/** `config.json` in the layout of Hugging Face transformers. */
export function configJson(config: LlamaConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: config.vocabSize, hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize, num_hidden_layers: config.layers, num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads, head_dim: config.headSize, hidden_act: 'silu',
    max_position_embeddings: config.maxPositions, rms_norm_eps: config.normEpsilon, rope_theta: config.ropeTheta,
    attention_bias: false, mlp_bias: false, tie_word_embeddings: config.tiedHead, bos_token_id: 0, eos_token_id: 0,
    torch_dtype: 'float16',
  };
}

/** Writes a checkpoint that `loadModel` and Hugging Face transformers read: configuration, tokenizer, 16-bit weights, how it was made. */
export async function writeCheckpoint(
  folder: string, config: LlamaConfig, tokenizer: unknown, weights: Arrays, training: unknown,
): Promise<void> {
  makeFolder(folder);
  const json = (name: string, value: unknown) => writeWhole(join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
  await json('config.json', configJson(config));
  await json('tokenizer.json', tokenizer);
  await json('training.json', training);
  const stored = new Map(layoutOf(config).map((entry): [string, StoredTensor] => {
    const weight = weights[entry.name]!;
    return [entry.stored, entry.transposed ? transposed(weight) : weight];
  }));
  await writeSafetensors(join(folder, 'model.safetensors'), stored, 'F16');
}
