import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Plugin, discoverPlugins, findPlugin, pluginsIn, writeWhole } from '@lethe/core';
import { openDevice } from '@lethe/engine';
import { loadModel } from '@lethe/model';
import { withRandomCheckpoint } from './checkpoint.js';
import { type MethodCost, STREAM_MODEL, type TaskCost, streamCost } from './stream-cost.js';
import { plotOf } from './stream-plot.js';
import { markdownTable } from './table.js';

const { values } = parseArgs({
  options: {
    stream: { type: 'string', default: '50' },
    methods: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const tasks = Number(values.stream);
if (!Number.isInteger(tasks) || tasks < 12) throw new RangeError(`--stream takes a number of tasks, 12 or more: given ${values.stream}`);

const folderOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const installed = discoverPlugins(pluginsIn(folderOf('plugins')));
/** Every method that meets tasks one by one. */
const chosen: readonly Plugin[] = values.methods?.split(',').map((name) => findPlugin(installed, 'method', name))
  ?? installed.plugins.filter(({ manifest }) => manifest.kind === 'method' && manifest.stream === 'continual');

const FEW = 5;
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

/** A cost at the beginning (tasks 2 to 6: the first one has nothing before it), and at the end (the last five). */
function ends({ tasks: list }: MethodCost, value: (cost: TaskCost) => number): readonly [first: number, last: number] {
  return [mean(list.slice(1, 1 + FEW).map(value)), mean(list.slice(-FEW).map(value))];
}

function tableRow(cost: MethodCost): string[] {
  const range = (value: (task: TaskCost) => number, digits: number) => ends(cost, value).map((n) => n.toFixed(digits)).join(' → ');
  return [
    cost.method, cost.growth, range(({ step }) => step, 1), range(({ between }) => between, 0), range(({ compile }) => compile, 0),
    range(({ storedBytes }) => storedBytes / 1024, 0), range(({ resident }) => resident, 0),
  ];
}

const HEAD = ['method', 'declares growth', 'step ms', 'begin + end ms', 'compile ms', 'stored kB', 'resident MB'];
await withRandomCheckpoint(STREAM_MODEL, 'F32', async (folder) => {
  const model = await loadModel(folder);
  const costs: MethodCost[] = [];
  for (const plugin of chosen) {
    const device = await openDevice({ name: 'cpu', threads: 1 });
    costs.push(await streamCost(plugin, device, model, tasks, (done) => {
      if (done % 10 === 0) process.stderr.write(`${plugin.manifest.name}: ${done} of ${tasks} tasks\n`);
    }));
    await device.dispose();
  }
  if (values.out !== undefined) await writeWhole(values.out, plotOf(costs));
  process.stdout.write(values.json ? `${JSON.stringify({ schema: 'lethe.bench-stream/1', node: process.version, costs }, null, 2)}\n`
    : `${markdownTable(HEAD, costs.map(tableRow))}\n`);
});
