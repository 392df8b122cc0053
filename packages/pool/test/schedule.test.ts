import { expect } from 'chai';
import type { Job } from '@lethe/harness';
import { Schedule } from '../src/schedule.js';

/** A job of which only what its steps depend on is told apart. */
function job(method: string, tasks: readonly string[], seed = 1, stream: Job['stream'] = 'continual'): Job {
  return {
    identity: {
      suite: { id: 's', version: '1.0.0', size: 'full' }, 
      method: { id: method, version: '1.0.0', options: {}, capabilities: { rehearsal: false, taskIdentity: false, growth: 'none', bound: false } },
      model: { id: 'm', sha256: '0' },
      order: { id: tasks.join(), tasks }, seed,
      training: { epochs: 1, batch: 1, learningRate: 1, warmup: 0, weightDecay: 0, clip: 1, rank: 1, alpha: 1, sites: ['q'], maxTokens: 16 },
    },
    codePath: method, stream, suite: { reference: 's', suitesDir: '', builtDir: '' }, modelDir: 'm', device: 'cpu', threads: 1, outDir: 'o',
    origin: { lethe: '0.1.0', git: null },
  };
}

describe('the schedule', () => {
  it('lets one job score the base model while the others wait, then takes them in order', () => {
    const schedule = new Schedule([job('a', ['x', 'y']), job('b', ['x', 'y']), job('c', ['y', 'x'])]);
    expect(schedule.take()).to.equal(0);
    expect(schedule.take()).to.equal(null);
    schedule.stepFinished(0, 0);
    expect([schedule.take(), schedule.take(), schedule.take()]).to.deep.equal([1, 2, undefined]);
  });

  it('lets orders that begin alike share their first steps', () => {
    const schedule = new Schedule([job('a', ['x', 'y', 'z']), job('a', ['x', 'z', 'y']), job('a', ['x', 'y', 'z'], 2)]);
    expect(schedule.take()).to.equal(0);
    schedule.stepFinished(0, 0);
    // another seed shares no more than the base model
    expect(schedule.take()).to.equal(2);
    expect(schedule.take()).to.equal(null);
    schedule.stepFinished(0, 1);
    expect(schedule.take()).to.equal(1);
  });

  it('goes on when the job that others wait for ends early', () => {
    const schedule = new Schedule([job('a', ['x']), job('b', ['x'])]);
    schedule.take();
    schedule.ended(0);
    expect(schedule.take()).to.equal(1);
  });

  it('has nothing in common between joint and continual training but the base model', () => {
    const schedule = new Schedule([job('a', ['x', 'y']), job('a', ['x', 'y'], 1, 'joint')]);
    schedule.take();
    schedule.stepFinished(0, 0);
    expect(schedule.take()).to.equal(1);
  });
});
