import * as tf from '@tensorflow/tfjs';
import { mendTape } from './tape.js';

mendTape();

/**
 * Gradients that TensorFlow.js 4.22 lacks, or gets wrong where sides broadcast, an axis is not the last one or a list has one
 * element. They hold on every backend, so that compiled and eager programs agree.
 */
type Gradient = tf.GradConfig['gradFunc'];

/** The gradient of a broadcast side: a sum over what it was repeated along. */
function unbroadcast(dy: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

/** The gradient where it was chosen, else 0. */
const chosen = (condition: tf.Tensor, dy: tf.Tensor): tf.Tensor => tf.where(condition, dy, tf.zerosLike(dy));

const add = (kernelName: string, inputsToSave: string[], gradFunc: Gradient, more: Partial<tf.GradConfig> = {}) =>
  tf.registerGradient({ kernelName, inputsToSave, gradFunc, ...more });
const one = (dy: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(dy) ? dy[0]! : dy);

/** TensorFlow.js has the slope -1 at 0, from where an l1 penalty would push whatever starts there; PyTorch and the subgradient of least size have 0. */
add('Abs', ['x'], (dy, [x]) => ({ x: () => tf.mul(one(dy), tf.sign(tf.cast(x!, 'float32'))) }));

/** 0 to the power 0 has the slope 0 by its base; TensorFlow.js has 0 times infinity. */
const power = tf.getGradient('Pow');
add(
  'Pow',
  ['a', 'b'],
  (dy, saved, attributes) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    const base = () => tf.where(tf.logicalAnd(tf.equal(a, 0), tf.equal(b, 0)), tf.onesLike(a), a);
    const slope = () => tf.mul(b, tf.pow(base(), tf.sub(tf.cast(b, 'float32'), 1)));
    return { ...power.gradFunc(dy, saved, attributes), a: () => unbroadcast(tf.mul(one(dy), slope()), a.shape) };
  },
  { outputsToSave: [true] },
);

add('SquaredDifference', ['a', 'b'], (dy, [a, b]) => {
  const d = tf.mul(one(dy), tf.mul(2, tf.sub(a!, b!)));
  return { a: () => unbroadcast(d, a!.shape), b: () => unbroadcast(tf.neg(d), b!.shape) };
});

for (const [kernel, left, right] of [
  ['Maximum', tf.greaterEqual, tf.less],
  ['Minimum', tf.lessEqual, tf.greater],
] as const) {
  add(kernel, ['a', 'b'], (dy, [a, b]) => {
    const by = (side: typeof left, to: tf.Tensor) => () => unbroadcast(chosen(side(a!, b!), one(dy)), to.shape);
    return { a: by(left, a!), b: by(right, b!) };
  });
}

/** What was not chosen has the gradient 0, where TensorFlow.js has 0 times that of the result, which is no number where it is endless: below 0 of sqrt(relu(x)). */
add('Select', ['condition'], (dy, [condition]) => ({
  condition: () => tf.zeros(condition!.shape),
  t: () => chosen(condition!, one(dy)),
  e: () => chosen(tf.logicalNot(condition!), one(dy)),
}));
add('Relu', ['x'], (dy, [x]) => ({ x: () => chosen(tf.logicalNot(tf.lessEqual(x!, 0)), one(dy)) }));
add('Relu6', ['x'], (dy, [x]) => ({ x: () => chosen(tf.logicalNot(tf.logicalOr(tf.lessEqual(x!, 0), tf.greater(x!, 6))), one(dy)) }));

add('Prelu', ['x', 'alpha'], (dys, [x, alpha]) => {
  const [dy, above] = [one(dys), tf.greater(x!, 0)];
  return {
    x: () => unbroadcast(tf.where(above, dy, tf.mul(dy, alpha!)), x!.shape),
    alpha: () => unbroadcast(chosen(tf.logicalNot(above), tf.mul(dy, x!)), alpha!.shape),
  };
});

/** TensorFlow.js knows ranks 1 to 4. Of others, an axis for the repetitions before each axis is summed. */
const tile = tf.getGradient('Tile');
add('Tile', ['x'], (dy, [x], attributes) => {
  if (x!.rank > 0 && x!.rank < 5) return tile.gradFunc(dy, [x!], attributes);
  const { reps } = attributes as unknown as { reps: number[] };
  const apart = () => tf.reshape(one(dy), x!.shape.flatMap((d, i) => [reps[i]!, d]));
  return { x: () => tf.reshape(x!.rank > 0 ? tf.sum(apart(), reps.map((_, i) => 2 * i)) : one(dy), x!.shape) };
});

add('BatchMatMul', ['a', 'b'], (dys, [a, b], attributes) => {
  const { transposeA, transposeB } = attributes as unknown as { transposeA: boolean; transposeB: boolean };
  const dy = one(dys);
  return {
    a: () => unbroadcast(transposeA ? tf.matMul(b!, dy, transposeB, true) : tf.matMul(dy, b!, false, !transposeB), a!.shape),
    b: () => unbroadcast(transposeB ? tf.matMul(dy, a!, true, transposeA) : tf.matMul(a!, dy, !transposeA, false), b!.shape),
  };
});

add('Cumsum', [], (dy, _, attributes) => {
  const { axis, exclusive, reverse } = attributes as unknown as { axis: number; exclusive: boolean; reverse: boolean };
  return { x: () => tf.cumsum(one(dy), axis < 0 ? one(dy).rank + axis : axis, exclusive, !reverse) };
});

add('Unpack', [], (dys, _, attributes) => ({
  value: () => tf.stack(Array.isArray(dys) ? dys : [dys], (attributes as unknown as { axis: number }).axis),
}));

const along = (x: tf.Tensor, axis: number, begin: number, size: number): tf.Tensor =>
  tf.slice(
    x,
    x.shape.map((_, i) => (i === axis ? begin : 0)),
    x.shape.map((d, i) => (i === axis ? size : d)),
  );
/** The elements along an axis, moved towards its start, or its end where `by` is negative; `value` comes in behind them. */
function moved(x: tf.Tensor, axis: number, by: number, value: number): tf.Tensor {
  const border = tf.fill(
    x.shape.map((d, i) => (i === axis ? Math.abs(by) : d)),
    value,
  );
  const kept = along(x, axis, Math.max(by, 0), x.shape[axis]! - Math.abs(by));
  return tf.concat(by > 0 ? [kept, border] : [border, kept], axis);
}

/**
 * Of y_j = x_0 … x_j: dx_i = (x_0 … x_{i-1}) s_i with s_i = dy_i + x_{i+1} s_{i+1}. The recurrence takes log n steps over
 * elements 1, 2, 4, … apart (Blelloch 1990, section 1.4); nothing is divided, so that zeros are allowed.
 */
add('Cumprod', ['x'], (dys, [given], attributes) => {
  const { exclusive, reverse, ...rest } = attributes as unknown as { axis: number; exclusive: boolean; reverse: boolean };
  const [axis] = tf.util.parseAxisParam(rest.axis, given!.shape) as [number];
  const turned = (x: tf.Tensor) => (reverse ? tf.reverse(x, axis) : x);
  return {
    x: () => {
      const x = exclusive ? moved(turned(given!), axis, -1, 1) : turned(given!);
      let [sums, factors] = [turned(one(dys)), moved(x, axis, 1, 1)];
      for (let by = 1; by < x.shape[axis]!; by *= 2) {
        sums = tf.add(sums, tf.mul(factors, moved(sums, axis, by, 0)));
        factors = tf.mul(factors, moved(factors, axis, by, 1));
      }
      const dx = tf.mul(tf.cumprod(x, axis, true), sums);
      return turned(exclusive ? moved(dx, axis, 1, 0) : dx);
    },
  };
});

/** The gradient by x of an operation that takes elements of x: what the same one takes of their positions says where each one goes back to. */
const returned = (kernel: string, { x, ...others }: Record<'x', tf.Tensor> & Record<string, tf.Tensor>, dy: tf.Tensor, attributes: tf.NamedAttrMap) => () => {
  const positions = tf.reshape(tf.range(0, x.size, 1, 'int32'), x.shape);
  const taken = tf.engine().runKernel(kernel, { x: positions, ...others }, attributes) as tf.Tensor;
  return tf.reshape(tf.scatterND(tf.reshape(taken, [-1, 1]), tf.reshape(dy, [-1]), [x.size]), x.shape);
};

for (const kernel of ['StridedSlice', 'MirrorPad'])
  add(kernel, ['x'], (dy, [x], attributes) => ({ x: returned(kernel, { x: x! }, one(dy), attributes) }));

/** TensorFlow.js counts its axes from the front only. */
const product = tf.getGradient('Prod');
add('Prod', ['x'], (dy, [x], attributes) => {
  const { axis } = attributes as unknown as { axis: number | number[] | null };
  const given = (axis ?? x!.shape.map((_, i) => i)) as number[];
  return product.gradFunc(dy, [x!], { ...attributes, axis: tf.util.parseAxisParam(given, x!.shape) });
});

add('Diag', ['x'], (dy, [x]) => ({
  x: () => tf.reshape(tf.sum(tf.mul(tf.reshape(one(dy), [x!.size, x!.size]), tf.eye(x!.size)), 1), x!.shape),
}));

add('TensorScatterUpdate', ['indices', 'updates'], (dy, [indices, updates]) => ({
  tensor: () => {
    const replaced = tf.scatterND(indices!, tf.onesLike(updates!), one(dy).shape);
    return tf.where(tf.greater(replaced, 0), tf.zerosLike(one(dy)), one(dy));
  },
  updates: () => tf.gatherND(one(dy), indices!),
}));

/** TensorFlow.js divides by the whole window at the border too, where the forward pass counts the elements inside. */
add('AvgPool', ['x'], (dys, [x], attributes) => {
  const { filterSize, ...rest } = attributes as unknown as { filterSize: number | [number, number] };
  const [height, width] = typeof filterSize === 'number' ? [filterSize, filterSize] : filterSize;
  return {
    x: () => {
      const [filter, at] = [tf.ones([height, width, x!.shape[3]!, 1]), { dilations: 1, ...rest }];
      const counts = tf.engine().runKernel('DepthwiseConv2dNative', { x: tf.onesLike(x!), filter }, at) as tf.Tensor;
      const inputs = { dy: tf.div(one(dys), counts), filter };
      return tf.engine().runKernel('DepthwiseConv2dNativeBackpropInput', inputs, { ...at, inputShape: x!.shape }) as tf.Tensor;
    },
  };
});

add('EluGrad', ['dy', 'y'], (ddy, [dy, y]) => {
  const below = tf.less(y!, 0);
  return {
    dy: () => tf.where(below, tf.mul(one(ddy), tf.add(y!, 1)), one(ddy)),
    y: () => tf.where(below, tf.mul(one(ddy), dy!), tf.zerosLike(y!)),
  };
});

/** What is constant almost everywhere has the gradient 0; TensorFlow.js has that of a/b for floorDiv, and hands it through a cast to integers. */
for (const kernel of ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'FloorDiv'])
  add(kernel, ['a', 'b'], (_, [a, b]) => ({ a: () => tf.zeros(a!.shape), b: () => tf.zeros(b!.shape) }));
for (const kernel of ['LogicalNot', 'All', 'Any', 'ArgMax', 'ArgMin']) add(kernel, ['x'], (_, [x]) => ({ x: () => tf.zeros(x!.shape) }));

add('Cast', [], (dys, _, attributes) => {
  const dy = one(dys);
  return { x: () => ((attributes as unknown as { dtype: tf.DataType }).dtype === 'float32' ? tf.cast(dy, 'float32') : tf.zeros(dy.shape)) };
});

/** Equal largest or smallest elements share the gradient, as in TensorFlow and PyTorch; in TensorFlow.js each has all of it, and their sum is no slope. */
for (const kernel of ['Max', 'Min'])
  add(
    kernel,
    ['x'],
    (dy, [x, y], attributes) => {
      const { axis, reductionIndices } = attributes as unknown as Record<'axis' | 'reductionIndices', number | number[] | null | undefined>;
      const axes = tf.util.parseAxisParam((axis ?? reductionIndices ?? x!.shape.map((_, i) => i)) as number[], x!.shape);
      const rows = x!.shape.map((d, i) => (axes.includes(i) ? 1 : d));
      const places = tf.equal(x!, tf.reshape(y!, rows));
      const share = () => tf.div(tf.reshape(one(dy), rows), tf.sum(tf.cast(places, 'float32'), axes, true));
      return { x: () => chosen(places, share()) };
    },
    { outputsToSave: [true] },
  );

/**
 * Places have no gradient. The library gives the places themselves, and then refuses them for not being floats. It knows one batch
 * dimension, row by row: with any number, what tf.gather takes of the positions says where each element goes back to.
 */
const gather = tf.getGradient('GatherV2');
add('GatherV2', ['x', 'indices'], (dy, saved, attributes) => {
  const [x, indices] = saved as [tf.Tensor, tf.Tensor];
  const byRows = { x: returned('GatherV2', { x, indices }, one(dy), attributes) };
  const own = (attributes as unknown as { batchDims?: number }).batchDims ? byRows : gather.gradFunc(dy, saved, attributes);
  return { ...own, indices: () => tf.zeros(indices.shape) };
});

/** What has no segment is left out, so that it has no gradient; TensorFlow.js knows it of those below 0. */
add('UnsortedSegmentSum', ['segmentIds'], (dys, [ids]) => {
  const dy = one(dys);
  const inside = tf.logicalAnd(tf.greaterEqual(ids!, 0), tf.less(ids!, dy.shape[0]!));
  const mask = tf.reshape(inside, [-1, ...dy.shape.slice(1).map(() => 1)]);
  return {
    x: () => {
      const rows = tf.gather(dy, tf.where(inside, ids!, tf.zerosLike(ids!)) as tf.Tensor1D);
      return tf.where(mask, rows, tf.zerosLike(rows));
    },
  };
});

add('GatherNd', ['params', 'indices'], (dy, [params, indices]) => ({
  params: () => tf.scatterND(indices!, one(dy), params!.shape),
}));

add('ScatterNd', ['indices'], (dy, [indices]) => ({ updates: () => tf.gatherND(one(dy), indices!) }));

add(
  'TopK',
  ['x'],
  (dy, [x, indices]) => ({
    x: () => {
      const columns = tf.range(0, x!.shape.at(-1)!, 1, 'int32');
      const places = tf.cast(tf.equal(tf.expandDims(indices!, -1), columns), 'float32'); // (…, k, size)
      return tf.sum(tf.mul(places, tf.expandDims(one(dy), -1)), -2);
    },
  }),
  { outputsToSave: [false, true] },
);

/** By one operand, the product of the result's gradient with the other one; letters that only this one has are summed in it. */
add(
  'Einsum',
  [],
  (dy, operands, attributes) => {
    const [terms, result] = (attributes as unknown as { equation: string }).equation.replaceAll(/\s/g, '').split('->') as [
      string,
      string,
    ];
    const letters = terms.split(',');
    return Object.fromEntries(
      letters.map((own, i) => [
        i,
        () => {
          const others = letters.flatMap((term, j) => (i === j ? [] : [{ term, operand: operands[j]! }]));
          const known = [...own]
            .filter((letter) => result.includes(letter) || others.some(({ term }) => term.includes(letter)))
            .join('');
          const partial = tf.einsum(
            `${[result, ...others.map(({ term }) => term)].join(',')}->${known}`,
            one(dy),
            ...others.map(({ operand }) => operand),
          );
          if (known === own) return partial;
          const alone = [...own].filter((letter) => !known.includes(letter)).join('');
          return tf.einsum(
            `${known},${alone}->${own}`,
            partial,
            tf.ones([...alone].map((letter) => operands[i]!.shape[own.indexOf(letter)]!)),
          );
        },
      ]),
    );
  },
  { saveAllInputs: true },
);
