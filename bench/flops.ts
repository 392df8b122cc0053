import { sitesOf } from '@lethe/model';
import { BUDGET, type Shape } from './shapes.js';

/** Multiplications and additions of one product (rows, inner) x (inner, columns). */
const product = (rows: number, inner: number, columns: number) => 2 * rows * inner * columns;

interface Parts {
  readonly linear: number;
  readonly adapters: number;
  /** One of the two products of the attention, over the pairs that the causal mask keeps. */
  readonly attention: number;
  readonly head: number;
}

function forwardParts({ config, batch, tokens, targets }: Shape, layers: readonly number[], kinds: readonly string[]): Parts {
  const rows = batch * tokens;
  const sites = sitesOf(config).filter((site) => layers.includes(site.layer));
  const total = (of: typeof sites, cost: (input: number, output: number) => number) => of.reduce((sum, s) => sum + cost(s.in, s.out), 0);
  const adapted = sites.filter(({ kind }) => BUDGET.sites.includes(kind));
  return {
    linear: total(sites.filter(({ kind }) => kinds.includes(kind)), (input, output) => product(rows, input, output)),
    adapters: total(adapted, (input, output) => product(rows, input, BUDGET.rank) + product(rows, BUDGET.rank, output)),
    attention: layers.length * batch * config.heads * 2 * config.headSize * ((tokens * (tokens + 1)) / 2),
    head: product(batch * targets, config.hiddenSize, config.vocabSize),
  };
}

const ALL = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'];

/** Products that scoring a batch needs. */
export function scoringFlops(shape: Shape): number {
  const { linear, attention, head } = forwardParts(shape, [...Array(shape.config.layers).keys()], ALL);
  return linear + 2 * attention + head;
}

/**
 * Products that one training step of low-rank adapters on query and value needs. Frozen weights get no gradient, the first
 * layer's input and keys get none either, and rotary embeddings, norms and masks count as nothing.
 */
export function trainingFlops(shape: Shape): number {
  const layers = [...Array(shape.config.layers).keys()];
  const forward = forwardParts(shape, layers, ALL);
  const upper = forwardParts(shape, layers.slice(1), ALL);
  const first = forwardParts(shape, [0], ['o', 'gate', 'up', 'down']);
  const firstAdapterInputs = BUDGET.sites.length * product(shape.batch * shape.tokens, BUDGET.rank, shape.config.hiddenSize);
  return (
    forward.linear + forward.adapters + 2 * forward.attention + forward.head +
    upper.linear + first.linear + 2 * forward.adapters - firstAdapterInputs +
    4 * upper.attention + 3 * first.attention + forward.head
  );
}
