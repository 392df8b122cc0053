export type { Constant, Device, DType, Program, ProgramDefinition, TensorSpec, Values } from './types.js';
export { openDevice } from './device.js';
