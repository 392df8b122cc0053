import { LetheError } from '@lethe/core';
import { openDevice } from '@lethe/engine';

// A process of its own: native libraries write their complaints to stderr, and one that fails must not end the command.
const name = process.argv[2] ?? '';
try {
  const device = await openDevice({ name });
  const program = await device.compile({ name: 'probe', inputs: { x: { shape: [2], dtype: 'float32' } }, compute: ({ x }) => ({ y: x!.add(x!) }) });
  await program.run({ x: Float32Array.of(1, 2) });
  await device.dispose();
  process.stdout.write(JSON.stringify({ works: true }));
} catch (error) {
  const { message, remedy } = error instanceof LetheError ? error : { message: String(error), remedy: undefined };
  process.stdout.write(JSON.stringify({ works: false, message, remedy }));
}
