import { type Arrays, type Tensors, type TrainingBudget, checkPenalty } from '@lethe/core';
import { namedGradients } from '@lethe/core/tensor';
import type { Device, Program, TensorSpec } from '@lethe/engine';
import * as tf from '@tensorflow/tfjs';
import { type BatchShape, batchInputs } from './batch.js';
import { type Forward, taskLoss } from './loss.js';
import { dropoutInputs } from './dropout.js';
import { slices } from './flat.js';
import { asVector, optimizerInputs, optimizerStep, optimizerUpdate } from './optimizer.js';
import { arrayInputs, arrayTensors } from './scope.js';
import { keptInputs, madeOf, madeOfSum } from './step-gradients.js';

/** Prefix of the program inputs that hold the learner's frozen arrays. */
export const FROZEN = 'frozen.';
/** Prefix of the inputs that hold its running arrays, and of the outputs with their next values. */
export const RUNNING = 'running.';
/** Prefix of the inputs that hold what a step alone reads. */
export const STEP = 'step.';

/** What one optimizer step is compiled for. */
export interface TrainingStep {
  readonly device: Device;
  readonly forward: Forward;
  readonly budget: TrainingBudget;
}

/** Inputs of a step beside those of the optimizer: the packed batch (with the task of its rows for a learner that is told), {@link dropoutInputs}, and arrays that do not train. */
function stepInputs({ forward: { learner, told = false, dropout } }: TrainingStep, shape: BatchShape, own: Arrays): Record<string, TensorSpec> {
  const { frozen, running = {}, virtualTokens } = learner;
  return { ...batchInputs(shape, true, told), ...(dropout && dropoutInputs(shape, virtualTokens)), ...arrayInputs(frozen, FROZEN), ...arrayInputs(running, RUNNING), ...arrayInputs(own, STEP) };
}

/** Traced. All arrays of a learner, with these values of those that train. */
function arraysIn({ learner: { frozen, running = {} } }: Forward, own: Arrays, inputs: Tensors, parts: Tensors): Tensors {
  return { ...arrayTensors(frozen, FROZEN, inputs), ...arrayTensors(running, RUNNING, inputs), ...arrayTensors(own, STEP, inputs), ...parts };
}

/** Traced. The loss that is minimised, and through `shown` the part of it that is the task's. */
class StepLoss {
  private task: tf.Scalar | undefined;

  constructor(private readonly forward: Forward, private readonly inputs: Tensors, private readonly weights: Tensors) {}

  /** Task loss and penalty. */
  of(arrays: Tensors): tf.Scalar {
    const { learner } = this.forward;
    const { loss, scope } = taskLoss(this.forward, this.inputs, this.weights, arrays);
    const penalty = learner.penalty ? checkPenalty(learner.penalty(scope)) : null;
    if (penalty === null) return loss;
    // the tape frees what it does not give back
    this.task = tf.keep(loss);
    return loss.add(penalty);
  }

  /** The task loss, of shape [1]. */
  shown(whole: tf.Tensor): tf.Tensor {
    const shown = this.task?.reshape([1]) ?? whole;
    this.task?.dispose();
    return shown;
  }
}

/**
 * Compiles one optimizer step: forward, gradients, what the method makes of them, clipping and update are one graph. Inputs are the packed batch (with the task of
 * its rows for a learner that is told, and {@link keptInputs}), the learner's frozen arrays under {@link FROZEN}, its running ones under {@link RUNNING}, those of
 * the step under {@link STEP}, and those of {@link optimizerInputs} for its trainable ones. Outputs are the next `flat`, `m` and `v`, the next values of running
 * arrays, and `loss` (with the method's penalty) and `task` (without it), each of shape [1].
 *
 * @param own arrays of the shapes that those of the step have
 */
export function compileTrainingStep(training: TrainingStep, shape: BatchShape, own: Arrays = {}): Promise<Program> {
  const { device, forward, budget } = training;
  const { learner: { trainable }, learner, model } = forward;
  return device.compile({
    name: 'train-step',
    inputs: { ...stepInputs(training, shape, own), ...keptInputs(learner, shape), ...optimizerInputs(trainable) },
    constants: model.weights,
    compute: (inputs, weights) => {
      const loss = new StepLoss(forward, inputs, weights);
      let next: Tensors = {};
      const arrays = (parts: Tensors) => arraysIn(forward, own, inputs, parts);
      const step = optimizerStep(inputs, trainable, budget, (parts) => loss.of(arrays(parts)), (found, parts) => {
        const made = madeOf(forward, inputs, weights, arrays(parts), found);
        next = runningOutputs(made.running);
        return made.taken;
      });
      return { ...step, ...next, task: loss.shown(step.loss) };
    },
  });
}

/** The next values of running arrays as outputs. */
const runningOutputs = (running: Tensors): Tensors => Object.fromEntries(Object.entries(running).map(([name, value]) => [RUNNING + name, value]));

/**
 * Compiles a part of a step that is taken in micro-batches: the gradients of the loss of some of its rows. Inputs are those of {@link compileTrainingStep} with `flat`
 * alone of the optimizer's. Outputs are `gradient`, all of them as one vector, `loss` and `task`.
 */
export function compileMicroBatch(training: TrainingStep, shape: BatchShape, own: Arrays = {}): Promise<Program> {
  const { device, forward } = training;
  const { learner: { trainable }, model } = forward;
  return device.compile({
    name: 'micro-batch',
    inputs: { ...stepInputs(training, shape, own), flat: optimizerInputs(trainable).flat },
    constants: model.weights,
    compute: (inputs, weights) => {
      const loss = new StepLoss(forward, inputs, weights);
      const parts = slices(inputs['flat'] as tf.Tensor1D, trainable);
      const { value, gradients } = namedGradients(() => loss.of(arraysIn(forward, own, inputs, parts)), parts);
      const whole = value.reshape([1]);
      return { gradient: asVector(gradients), loss: whole, task: loss.shown(whole) };
    },
  });
}

/**
 * Compiles the end of a step that was taken in micro-batches: what the method makes of the sum of their gradients, clipping and update. Inputs are `gradient`, the
 * learner's frozen and running arrays, and those of {@link optimizerInputs}. Outputs are the next `flat`, `m` and `v` and the next values of running arrays.
 *
 * @param rows of the step
 */
export function compileUpdate({ device, forward, budget }: TrainingStep, rows: number): Promise<Program> {
  const { learner: { trainable, frozen, running = {} }, model } = forward;
  const optimizer = optimizerInputs(trainable);
  return device.compile({
    name: 'update',
    inputs: { ...arrayInputs(frozen, FROZEN), ...arrayInputs(running, RUNNING), ...optimizer, gradient: optimizer.flat },
    constants: model.weights,
    compute: (inputs, weights) => {
      const [parts, found] = [slices(inputs['flat'] as tf.Tensor1D, trainable), slices(inputs['gradient'] as tf.Tensor1D, trainable)];
      const made = madeOfSum(forward, weights, arraysIn(forward, {}, inputs, parts), found, rows);
      return { ...optimizerUpdate(inputs, budget, made.taken), ...runningOutputs(made.running) };
    },
  });
}
