import type { Device } from '../src/types.js';
import { type Case, programOf } from './cases/case.js';

/** Where a device differs from the plain backend in one of many cases, forward or gradient: a line each. */
export async function differences(
  family: string,
  cases: readonly Case[],
  device: Device,
  plain: Device,
  tolerance: number,
  onCase: (one: Case) => void = () => undefined,
): Promise<string[]> {
  const { definition, feeds } = programOf(family, cases, onCase);
  const [a, b] = [await device.compile(definition), await plain.compile(definition)];
  const [got, wanted] = [await a.run(feeds), await b.run(feeds)];
  await a.dispose();
  return Object.entries(wanted).flatMap(([name, values]) => {
    const one = cases[Number.parseInt(name, 10)]!;
    const label = `output ${name}: ${one.kernel} of ${JSON.stringify(one.inputs)}`;
    const [mine, theirs] = [a.outputs[name], b.outputs[name]].map((spec) => JSON.stringify(spec));
    if (mine !== theirs) return [`${label} is ${mine}, not ${theirs}`];
    const at = values.findIndex((value, i) => {
      const own = got[name]![i]!;
      if (Object.is(own, value) || (Number.isNaN(own) && Number.isNaN(value))) return false;
      // integers are exact, and infinity is as near to all numbers as it is large
      return b.outputs[name]!.dtype !== 'float32' || !Number.isFinite(value) || !(Math.abs(own - value) <= tolerance * (1 + Math.abs(value)));
    });
    return at < 0 ? [] : [`${label} has ${got[name]![at]} at ${at}, not ${values[at]}`];
  });
}
