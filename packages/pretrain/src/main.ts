#!/usr/bin/env node
import { LetheError } from '@lethe/core';
import { USAGE, readOptions } from './options.js';
import { pretrain } from './pretrain.js';

const EVERY = 5000;

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(`${USAGE}\n`);
  else {
    const started = performance.now();
    let shown = -EVERY;
    const { parameters, tokens, heldOutLoss } = await pretrain(options, ({ done, total, loss }) => {
      const now = performance.now();
      if (now - shown < EVERY && done < total) return;
      shown = now;
      const left = ((now - started) / done) * (total - done) / 1000;
      process.stderr.write(`step ${done} of ${total}  loss ${loss.toFixed(3)}  ${left.toFixed(0)} s left\n`);
    });
    const held = heldOutLoss === null ? 'no text was held out' : `held-out loss ${heldOutLoss.toFixed(3)} nats a token`;
    process.stdout.write(`${options.out}: ${parameters} parameters, ${tokens} tokens of text, ${held}\n`);
  }
} catch (error) {
  if (!(error instanceof LetheError)) throw error;
  process.stderr.write(`${error.describe()}\n`);
  process.exitCode = 2;
}
