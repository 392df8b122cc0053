import { PRODUCT, REDUCTION } from './algebra.js';
import type { Case } from './case.js';
import { CONVOLUTION } from './convolution.js';
import { CREATION, FUSED, INDEXING, SHAPE } from './layout.js';
import { ARITHMETIC, COMPARISON, UNARY } from './pointwise.js';

/** The cases of each family of kernels. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  arithmetic: ARITHMETIC,
  comparison: COMPARISON,
  unary: UNARY,
  reduction: REDUCTION,
  product: PRODUCT,
  convolution: CONVOLUTION,
  shape: SHAPE,
  indexing: INDEXING,
  creation: CREATION,
  fused: FUSED,
};
