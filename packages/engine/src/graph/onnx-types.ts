import type { ValueType } from './types.js';

/** Numbers of the element types in ONNX. */
export const ONNX_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, bfloat16: 16 } as const satisfies Record<ValueType, number>;
