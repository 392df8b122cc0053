import * as tf from '@tensorflow/tfjs';
import { type RotaryTables, rotary } from '@lethe/engine';
import type { Place } from './attention.js';
import type { Fields } from './fields.js';

/** How the angles of rotary embeddings were stretched so that a model reads further than it was first trained to. */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  /** Wavelengths above original / low are stretched, those below original / high are not, those between in part. */
  | { readonly type: 'llama3'; readonly factor: number; readonly low: number; readonly high: number; readonly original: number }
  | {
    readonly type: 'yarn'; readonly factor: number; readonly original: number;
    /** Turns within the original length: at `fast` and more an angle is kept, at `slow` and fewer it is stretched. */
    readonly fast: number; readonly slow: number;
    /** Whether the dimensions between which it changes are whole numbers. */
    readonly whole: boolean;
    /** What cos and sin are multiplied by. */
    readonly size: number;
  };

/** The rotary embedding of a model. */
export interface Rope {
  readonly ropeTheta: number;
  readonly ropeScaling?: RopeScaling;
}

const ORIGINAL = 'original_max_position_embeddings';
/** What settings are named after that are not the same for all layers. */
const LAYER_TYPES = ['full_attention', 'sliding_attention'];

/** The settings of the rotary embedding. Transformers moved them from `rope_scaling` to `rope_parameters`; files of both kinds are about, and of both, the former empty. */
export function ropeSection(fields: Fields): Fields {
  const former = fields.get('rope_scaling');
  const none = former === undefined || (typeof former === 'object' && former !== null && Object.keys(former).length === 0);
  return fields.section(none ? 'rope_parameters' : 'rope_scaling');
}

/**
 * Reads the rotary embedding of a configuration.
 *
 * @param base the name of the field with the base of the angles
 * @param maxPositions the length of which the angles are stretched, where the settings name none
 */
export function readRope(fields: Fields, base: string, maxPositions: number): Rope {
  const section = ropeSection(fields);
  for (const layers of LAYER_TYPES) section.refuse(layers, undefined, 'Angles of their own for each type of layer are not supported.');
  const ropeTheta = section.number('rope_theta', fields.number(base, 10000));
  const name = section.has('rope_type') ? 'rope_type' : 'type';
  const type = section.choice(name, 'The scaling of rotary embeddings', ['default', 'linear', 'llama3', 'yarn'], 'default');
  if (type === 'default') return { ropeTheta };
  const factor = section.number('factor');
  if (type === 'linear') return { ropeTheta, ropeScaling: { type, factor } };
  // beside the settings it wins over what stands among them
  const original = fields.integer(ORIGINAL, section.integer(ORIGINAL, maxPositions));
  if (type === 'llama3') {
    const [low, high] = [section.number('low_freq_factor'), section.number('high_freq_factor')];
    if (low >= high) section.fail('low_freq_factor', `"low_freq_factor" is ${low}; it must be below "high_freq_factor", ${high}.`);
    return { ropeTheta, ropeScaling: { type, factor, low, high, original } };
  }
  const [fast, slow] = [section.number('beta_fast', 32), section.number('beta_slow', 1)];
  return { ropeTheta, ropeScaling: { type, factor, original, fast, slow, whole: section.flag('truncate', true), size: yarnSize(section, factor) } };
}

/** The part of each head that turns, `partial_rotary_factor` or the older field that is named; 1 for all of it. */
export function readRotaryShare(fields: Fields, former: string, fallback: number): number {
  const section = ropeSection(fields);
  const share = section.number('partial_rotary_factor', fields.number(former, fallback));
  return share <= 1 ? share : section.fail('partial_rotary_factor', `A share of ${share} of the head cannot turn.`);
}

/** Peng et al. 2023, arXiv 2309.00071, equation 22, and the two factors by which it was refined later. */
function yarnSize(section: Fields, factor: number): number {
  const size = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const [over, under] = ['mscale', 'mscale_all_dim'].map((field) => (section.get(field) ? section.number(field) : 0)) as [number, number];
  return section.number('attention_factor', over && under ? size(over) / size(under) : size(1));
}

/**
 * The angles by which a position turns, (size / 2), for heads of `size` numbers: theta^(-2i/size) (Su et al. 2021, arXiv
 * 2104.09864, equation 15), stretched where the model asks for it.
 */
export function anglesOf(size: number, { ropeTheta, ropeScaling }: Rope): number[] {
  const half = size / 2;
  const angles = Array.from({ length: half }, (_, i) => ropeTheta ** (-i / half));
  if (!ropeScaling) return angles;
  const { factor } = ropeScaling;
  if (ropeScaling.type === 'linear') return angles.map((angle) => angle / factor);
  const between = (value: number) => Math.min(Math.max(value, 0), 1);
  if (ropeScaling.type === 'llama3') {
    // Llama 3 (2024, arXiv 2407.21783), section 3.4.1 names the base; the stretching is that of its reference code
    const { low, high, original } = ropeScaling;
    return angles.map((angle) => {
      const kept = between(((original * angle) / (2 * Math.PI) - low) / (high - low));
      return (1 - kept) * (angle / factor) + kept * angle;
    });
  }
  // Peng et al. 2023, arXiv 2309.00071, section 3.2: the dimension at which an angle turns so many times within the original length
  const { original, fast, slow, whole } = ropeScaling;
  const dimension = (turns: number) => (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta));
  const first = Math.max(whole ? Math.floor(dimension(fast)) : dimension(fast), 0);
  const last = Math.min(whole ? Math.ceil(dimension(slow)) : dimension(slow), size - 1);
  return angles.map((angle, i) => {
    const stretched = between((i - first) / (last === first ? 0.001 : last - first));
    return stretched * (angle / factor) + (1 - stretched) * angle;
  });
}

/** Tables of the rotary embedding, (positions, size / 2), for heads of `size` numbers and positions from 0. */
function rotaryTables(size: number, rope: Rope, positions: number): RotaryTables {
  const half = size / 2;
  const angles = anglesOf(size, rope);
  const factor = rope.ropeScaling?.type === 'yarn' ? rope.ropeScaling.size : 1;
  const table = (of: (angle: number) => number) => tf.tensor2d(Float32Array.from({ length: positions * half }, (_, n) =>
    factor * of(Math.floor(n / half) * angles[n % half]!)), [positions, half]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/**
 * Traced. Turns the first `size` numbers of each head by their position.
 *
 * @param positions more than any position of the batch
 */
export function rotaryPlace(size: number, rope: Rope, positions: number): Place {
  const tables = rotaryTables(size, rope, positions);
  return (x, at) => {
    const rest = x.shape[3] - size;
    if (rest === 0) return rotary(x, at, tables);
    const [turning, still] = tf.split(x, [size, rest], 3) as [tf.Tensor4D, tf.Tensor4D];
    return tf.concat([rotary(turning, at, tables), still], 3);
  };
}
