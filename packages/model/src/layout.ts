import { type Site, sizeOf, transposed as turned } from '@lethe/core';

/** One of several weights that a file holds in one tensor: along the outputs stand `groups` times `parts` pieces of equal size. */
export interface Part {
  readonly groups: number;
  readonly parts: number;
  /** Which piece of each group it is. */
  readonly index: number;
}

/** A weight of the model: its name and shape here, and how the file holds it. */
export interface WeightEntry {
  readonly name: string;
  /** Its name in the file. */
  readonly stored: string;
  readonly shape: readonly number[];
  /** Whether the file holds the transpose. */
  readonly transposed: boolean;
  /** Absent where the tensor is this weight alone. */
  readonly part?: Part;
}

/** A weight that the file holds as it is computed with. */
export const table = (name: string, stored: string, shape: readonly number[]): WeightEntry => ({ name, stored, shape, transposed: false });
export const vector = (name: string, stored: string, size: number): WeightEntry => table(name, stored, [size]);

/** How a linear layer is stored; absent is no. */
export interface StoredSite {
  readonly transposed?: boolean;
  readonly bias?: boolean;
  readonly part?: Part;
}

/** The weight of a linear layer, (in, out), and its bias, (out), under `.weight` and `.bias` of a module. */
export function siteWeights(site: Site, module: string, { transposed = false, bias = false, part }: StoredSite): WeightEntry[] {
  const share = part ? { part } : {};
  return [
    { name: site.name, stored: `${module}.weight`, shape: [site.in, site.out], transposed, ...share },
    ...(bias ? [{ ...vector(`${site.name}.bias`, `${module}.bias`, site.out), ...share }] : []),
  ];
}

/** Gain and bias of a norm, under `.weight` and `.bias` of a module. */
export function normWeights(name: string, module: string, size: number): WeightEntry[] {
  return [vector(name, `${module}.weight`, size), vector(`${name}.bias`, `${module}.bias`, size)];
}

/** Weights of every layer; `entries` gets what makes names of them, here and in the file. */
export function perLayer(
  layers: number, module: string, entries: (name: (part: string) => string, stored: (part: string) => string) => WeightEntry[],
): WeightEntry[] {
  return Array.from({ length: layers }, (_, i) => entries((part) => `layers.${i}.${part}`, (part) => `${module}.${i}.${part}`)).flat();
}

/** The shape of the tensor that a file holds. */
export function storedShape({ shape, transposed, part }: WeightEntry): number[] {
  const whole = part ? [...shape.slice(0, -1), shape.at(-1)! * part.parts] : [...shape];
  return transposed ? whole.toReversed() : whole;
}

/** One piece of every group along an axis of a row-major array. */
function takePart(data: Float32Array, shape: readonly number[], axis: number, { groups, parts, index }: Part): Float32Array {
  const run = sizeOf(shape.slice(axis)) / (groups * parts);
  const result = new Float32Array(data.length / parts);
  for (let to = 0, from = index * run; to < result.length; to += run, from += parts * run) result.set(data.subarray(from, from + run), to);
  return result;
}

/** A weight in compute layout, out of the values of the tensor that the file holds; a copy where that is not the tensor as it is. */
export function arrange(data: Float32Array, entry: WeightEntry): Float32Array {
  const { shape, transposed, part } = entry;
  const whole = storedShape(entry);
  const own = part ? takePart(data, whole, transposed ? 0 : whole.length - 1, part) : data;
  return transposed ? turned({ shape: shape.toReversed(), data: own }).data : own;
}
