import * as tf from '@tensorflow/tfjs';
import type { RotaryTables } from '@lethe/engine';

/** Tables of the rotary embedding, (positions, size / 2), for heads of `size` numbers and positions from 0. */
export function rotaryTables(size: number, theta: number, positions: number): RotaryTables {
  const half = size / 2;
  const table = (of: (angle: number) => number) => tf.tensor2d(Float32Array.from({ length: positions * half }, (_, n) =>
    of(Math.floor(n / half) * theta ** (-(n % half) / half))), [positions, half]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
