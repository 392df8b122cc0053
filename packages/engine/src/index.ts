export type { Constant, Stored, Device, DType, Program, ProgramDefinition, TensorSpec, Values } from './types.js';
export { openDevice } from './device.js';
export { STACK_DEPTH } from './caller.js';
export { explain } from './explain.js';
export { inputsRead } from './reads.js';
export { type Forward, withGradient } from './gradient.js';
export { type RotaryTables, rmsNorm, rotary } from './fused.js';
