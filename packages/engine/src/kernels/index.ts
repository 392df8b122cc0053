import { type Kernels, addKernels } from '../trace.js';
import { arithmeticKernels } from './arithmetic.js';
import { comparisonKernels } from './comparison.js';
import { convolutionKernels } from './convolution.js';
import { creationKernels } from './creation.js';
import { fusedKernels } from './fused.js';
import { indexingKernels } from './indexing.js';
import { productKernels } from './product.js';
import { reductionKernels } from './reduction.js';
import { shapeKernels } from './shape.js';
import { unaryKernels } from './unary.js';

/** Every kernel of the compiler, by family. */
export const FAMILIES: Readonly<Record<string, Kernels>> = {
  arithmetic: arithmeticKernels,
  comparison: comparisonKernels,
  unary: unaryKernels,
  reduction: reductionKernels,
  product: productKernels,
  convolution: convolutionKernels,
  shape: shapeKernels,
  indexing: indexingKernels,
  creation: creationKernels,
  fused: fusedKernels,
};

for (const kernels of Object.values(FAMILIES)) addKernels(kernels);
