import { join } from 'node:path';
import type { EventListener, Learner, Method, ReportTable, Run, RunIdentity, SuiteData, TaskData, TaskView, TrainingBudget } from '@lethe/core';
import { LetheError, RATE, checkKept, checkPrompt, createRandom, makeFolder } from '@lethe/core';
import type { Device } from '@lethe/engine';
import type { LanguageModel } from '@lethe/model';
import { addedParameters } from './added.js';
import { Scorer, baseModel } from './evaluate.js';
import { cutOf, encodeRows } from './encoded.js';
import { countOf } from './flat.js';
import { Generator } from './generation/generator.js';
import type { Host } from './host.js';
import { type Job, runName } from './job.js';
import { learnedTables } from './learned.js';
import { checkTrained, newLearner, within } from './learner.js';
import { checkKeptRows, checkModel, rowLength } from './length.js';
import type { Forward } from './loss.js';
import { type EncodedExample, roomFor, trainingRow } from './packing.js';
import { completedRun, scoresOf } from './report.js';
import { type Stage, curriculumOf, orderedTasks, stageLookup, stagesOf } from './stages.js';
import { type Answers, type Scored, type Step, type StepName, type StepRecord, STEPS, isScored, readAlike, readStep, stepNames, writeStep } from './steps.js';
import { stepsFor, trainTask } from './trainer.js';

/** What a job names, rebuilt. */
export interface StreamDependencies {
  readonly device: Device;
  readonly model: LanguageModel;
  readonly suite: SuiteData;
  readonly method: Method;
}

/** The budget of a suite as a method has it: at its own factor of the learning rate, which not every caller gives. */
function budgetOf({ training, method: { options: { rate = RATE.default } } }: RunIdentity): TrainingBudget {
  return { ...training, learningRate: training.learningRate * (rate as number) };
}

/**
 * Runs one method over one order of a suite: scores the base model, then for each stage trains and scores everything. On validation rows
 * it scores after the last stage alone.
 * Steps that were finished before, by this run or one that shares a prefix with it, are read instead of computed.
 *
 * @param stop asked between optimizer steps and between scored batches
 * @throws LETHE_RUN_STOPPED, LETHE_RUN_DAMAGED, LETHE_METHOD_FAILED, LETHE_ENGINE_NUMBERS, LETHE_SUITE_INVALID,
 * LETHE_MODEL_LENGTH, LETHE_DATA_ROW
 */
export async function runStream(
  job: Job, deps: StreamDependencies, listener: EventListener, stop: () => boolean = () => false,
): Promise<Run> {
  return new Stream(job, deps, listener, stop).run();
}

/** {@link Scope.task} of the rows of a task after these stages: 0 where it was not learned. */
const toldOf = (task: TaskData, learned: readonly Stage[]): number => learned.findIndex(({ tasks }) => tasks.includes(task)) + 1;

const untouched = ({ model }: StreamDependencies, { microBatch }: Job): Forward => ({ model, learner: baseModel, sites: [], microBatch });

class Stream {
  private readonly name: string;
  private readonly ordered: readonly TaskData[];
  private readonly scored: Scored;

  constructor(
    private readonly job: Job,
    private readonly deps: StreamDependencies,
    private readonly listener: EventListener,
    private readonly stop: () => boolean,
  ) {
    checkModel(job.identity.suite.id, job.identity.training, deps.model);
    this.name = runName(job.identity);
    this.ordered = orderedTasks(job, deps.suite);
    this.scored = { tasks: this.ordered, probes: deps.suite.probes };
  }

  async run(): Promise<Run> {
    const { job, deps, listener, name: run } = this;
    makeFolder(join(job.outDir, STEPS));
    const stages = stagesOf(job, this.ordered);
    listener({ type: 'run-started', run, identity: job.identity, steps: stages.length + 1 });
    const [first, ...names] = stepNames(job, deps.model.sha256, deps.suite);
    const base = await this.step(0, null, first!, () => this.base(), (alike) => this.scoredHere(alike, 0, untouched(deps, job), []));
    const records = [base.record];
    // of states only the last is kept: they can be large
    let { state } = base;

    const { host, forward } = await newLearner(job, deps, this.stop);
    const { learner } = forward;
    /** How many stages the learner itself has gone through; it is brought up to date only when it must train. */
    let at = 0;
    for (const [i, stage] of stages.entries()) {
      const learned = stages.slice(0, i + 1);
      const step = await this.step(i + 1, stage.name, names[i]!, async () => {
        if (at < i) await within(job, this.name, () => learner.restore(state));
        at = i + 1;
        return this.learn(i + 1, stages, forward, host, base.record);
      }, async (alike) => {
        await within(job, this.name, () => learner.restore(alike.state));
        at = i + 1;
        return within(job, this.name, () => this.scoredHere(alike, i + 1, forward, learned, base.record));
      });
      records.push(step.record);
      ({ state } = step);
    }
    const added = await within(job, this.name, () => {
      if (at < stages.length) learner.restore(state);
      return addedParameters(forward);
    });
    const result = completedRun(job, this.scored, records, { state, addedParameters: added }, deps.device);
    listener({ type: 'run-finished', run, result });
    return result;
  }

  /**
   * A step: read where it is there already, else computed and written.
   *
   * @param adopt makes it of a step that was trained alike, for a stream that scored other rows
   */
  private async step(index: number, task: string | null, name: StepName, compute: () => Promise<Step>, adopt: (alike: Step) => Promise<Step>): Promise<Step> {
    const { job, name: run } = this;
    this.listener({ type: 'step-started', run, step: index, task });
    const known = await readStep(job, name);
    // trials are not scored after every step
    const alike = known || job.identity.suite.scored === 'validation' ? undefined : await readAlike(job, name);
    const step = known ?? (alike ? await adopt(alike) : await compute());
    if (!known) await writeStep(job, name, step);
    const scores = scoresOf(step.record, this.ordered);
    this.listener({ type: 'step-finished', run, step: index, scores, reused: (known ?? alike) !== undefined });
    return step;
  }

  /** A step that was trained alike, scored on the rows of this stream; what it has answered already is not asked again. */
  private async scoredHere({ state, record }: Step, index: number, forward: Forward, learned: readonly Stage[], base?: StepRecord): Promise<Step> {
    const started = performance.now();
    const scores = await this.score(index, forward, learned, base, record);
    const report = learned.length === 0 ? [] : await this.report(forward, learned);
    const evalSeconds = record.cost.evalSeconds + (performance.now() - started) / 1000;
    return { state, record: { ...scores, cost: { ...record.cost, evalSeconds }, ...(report.length === 0 ? {} : { report }) } };
  }

  private async base(): Promise<Step> {
    const started = performance.now();
    const scores = await this.score(0, untouched(this.deps, this.job), []);
    return {
      state: baseModel.save(),
      record: { ...scores, cost: this.cost({ evalSeconds: (performance.now() - started) / 1000 }) },
    };
  }

  private async learn(index: number, stages: readonly Stage[], forward: Forward, host: Host, base: StepRecord): Promise<Step> {
    const { identity } = this.job;
    const { learner } = forward;
    const stage = stages[index - 1]!;
    const { tasks, epochs } = curriculumOf(stage, identity.training);
    const rowsOf = (task: TaskData) => this.rows(task, 'train', learner).map(trainingRow);
    const name = `${identity.method.id} on ${stage.name}`;
    const length = await within(this.job, name, () => this.lengthFor(learner));
    let rows = tasks.flatMap(rowsOf);
    const budget = { ...budgetOf(identity), epochs };
    const view: TaskView = { index, rows: rows.length, steps: stepsFor(rows.length, budget) };
    const started = performance.now();
    host.show(rows);
    const { capabilities } = identity.method;
    const trainableParameters = await within(this.job, name, async () => {
      await learner.begin(view);
      await host.checkAwaited();
      checkTrained(learner, capabilities, name);
      checkKeptRows(learner, host.room);
      return countOf(learner.trainable);
    });
    if (this.lengthFor(learner) !== length) host.show(rows = tasks.flatMap(rowsOf)); // it has begun with other virtual tokens than it had
    for (const task of tasks) this.tellCut(task, 'train', learner);
    const learned = stages.slice(0, index);
    let kept: ReturnType<typeof stageLookup> | undefined;
    const { tokens } = trainableParameters === 0 ? { tokens: 0 } : await within(this.job, name, () => trainTask({
      device: this.deps.device, forward, rows, index, budget, name, stop: this.stop, makesRows: capabilities.pseudoRehearsal ?? false,
      stageOf: (row) => (kept ??= stageLookup(learned, rowsOf))(row),
      random: createRandom(identity.seed, 'train', index),
      onStep: (done, total, loss) =>
        this.listener({ type: 'train-progress', run: this.name, step: index, done, total, loss }),
    }));
    await within(this.job, name, async () => {
      await learner.end(view);
      await host.checkAwaited();
      checkTrained(learner, capabilities, name);
    });
    host.show(undefined);
    const trained = performance.now();
    const scored = isScored(this.job, index, stages.length);
    const scores = scored ? await within(this.job, name, () => this.score(index, forward, learned, base)) : { tasks: {}, probes: {} };
    const report = scored ? await within(this.job, name, () => this.report(forward, learned)) : [];
    return {
      state: await within(this.job, name, () => checkKept(learner.save())),
      record: {
        ...scores,
        cost: this.cost({
          trainTokens: tokens, trainableParameters,
          trainSeconds: (trained - started) / 1000, evalSeconds: (performance.now() - trained) / 1000,
        }),
        ...(report.length === 0 ? {} : { report }),
      },
    };
  }

  private cost(known: Partial<StepRecord['cost']>): StepRecord['cost'] {
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return { trainTokens: 0, trainSeconds: 0, evalSeconds: 0, trainableParameters: 0, peakBytes, ...known };
  }

  private lengthFor({ virtualTokens }: Learner): number {
    return rowLength(this.job.identity.training, this.deps.model, virtualTokens);
  }

  /** Rows of a task as a learner lets the model read them, which shortens those that its virtual tokens leave no room for. */
  private rows(task: TaskData, split: 'train' | 'test', learner: Learner): readonly EncodedExample[] {
    return encodeRows(this.deps.model.tokenizer, task[split], this.lengthFor(learner), task.written?.maxTokens);
  }

  /** Tells of the rows of a task that are not read whole, where there are any. */
  private tellCut(task: TaskData, split: 'train' | 'test', learner: Learner): void {
    const cut = cutOf(task, split, this.rows(task, split, learner));
    if (!cut) return;
    const { virtualTokens } = learner;
    this.listener({ type: 'rows-cut', run: this.name, maxTokens: this.lengthFor(learner), ...(virtualTokens && { virtualTokens }), ...cut });
  }

  private report(forward: Forward, learned: readonly Stage[]): Promise<readonly ReportTable[]> {
    const shown = [...this.scored.tasks, ...this.scored.probes].map((task) =>
      ({ id: task.id, prompts: this.rows(task, 'test', forward.learner).map(({ prompt }) => prompt), task: toldOf(task, learned) }));
    return learnedTables(this.deps.device, forward, learned.map(({ name }) => name), shown);
  }

  /** Rows as a learner with examples in context lets the model read them; throws LETHE_METHOD_FAILED for a prompt that is too long. */
  private prompted(learner: Learner, rows: readonly EncodedExample[], task: number, answer?: number): EncodedExample[] {
    const maxTokens = this.lengthFor(learner);
    return rows.map((row) => {
      const room = roomFor(this.deps.model.tokenizer, row.options, maxTokens, answer);
      const prompt = checkPrompt(learner.prompt!(row.prompt, room, task));
      if (prompt.length > 0 && prompt.length <= room) return { ...row, prompt };
      throw new LetheError('LETHE_METHOD_FAILED', `A prompt has ${prompt.length} tokens where there is room for 1 to ${room}.`, {
        remedy: 'Leave out examples until the prompt fits into the room that the method is given.',
      });
    });
  }

  /**
   * @param learned the stages that were trained
   * @param base the record of the base model, once there is one
   * @param before a record of the same learner, which may have answers to the same rows
   */
  private async score(
    step: number, forward: Forward, learned: readonly Stage[], base?: StepRecord, before?: StepRecord,
  ): Promise<Pick<StepRecord, 'tasks' | 'probes' | 'answered'>> {
    const { tasks, probes } = this.scored;
    const total = [...tasks, ...probes].reduce((sum, task) => sum + task.test.length, 0);
    const scorer = new Scorer(this.deps.device, forward, this.stop);
    const generator = new Generator(this.deps.device, forward, this.stop);
    let done = 0;
    const onRows = (count: number) => {
      done += count;
      this.listener({ type: 'score-progress', run: this.name, step, done, total });
    };
    const answer = async (list: readonly TaskData[], kind: 'tasks' | 'probes'): Promise<Record<string, Answers>> => {
      const answers: Record<string, Answers> = {};
      for (const task of list) {
        const { id, written } = task;
        const rows = this.rows(task, 'test', forward.learner);
        if (step === 0 || this.lengthFor(forward.learner) < this.job.identity.training.maxTokens) this.tellCut(task, 'test', forward.learner);
        const given = before?.answered?.[id] === task.sha256 ? before[kind][id] : undefined;
        if (given) {
          answers[id] = given;
          onRows(rows.length);
          continue;
        }
        const index = forward.told ? toldOf(task, learned) : 0;
        // what the base model answered holds only for the prompt that it read
        const known = forward.learner.prompt ? undefined : base?.[kind][id];
        const asked = forward.learner.prompt ? this.prompted(forward.learner, rows, index, written?.maxTokens) : rows;
        answers[id] = written
          ? await generator.write(asked.map(({ prompt }) => prompt), written, onRows, known as readonly string[] | undefined, index)
          : await scorer.choose(asked, onRows, known as readonly number[] | undefined, index);
      }
      return answers;
    };
    try {
      const answered = Object.fromEntries([...tasks, ...probes].map(({ id, sha256 }) => [id, sha256]));
      return { tasks: await answer(tasks, 'tasks'), probes: await answer(probes, 'probes'), answered };
    } finally {
      await scorer.dispose();
      await generator.dispose();
    }
  }
}
