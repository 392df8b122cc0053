import { sitesOf } from '@lethe/model';
import { BUDGET, type Shape } from './shapes.js';

/** Multiplications and additions of one product (rows, inner) x (inner, columns). */
const product = (rows: number, inner: number, columns: number) => 2 * rows * inner * columns;

/** Products that one layer needs in the forward pass. */
interface Layer {
  /** By kind of linear layer. */
  readonly linear: Readonly<Record<string, number>>;
  /** x A for all adapters, and (x A) B. */
  readonly down: number;
  readonly up: number;
  /** One of the two products of the attention, over the pairs that the causal mask keeps. */
  readonly attention: number;
}

/** In the last layer only keys and values are needed for all tokens, the rest for the states that targets read. */
function layersOf({ config, batch, tokens, targets }: Shape): Layer[] {
  const sites = sitesOf(config);
  return Array.from({ length: config.layers }, (_, layer) => {
    const last = layer === config.layers - 1;
    const rows = (kind: string) => batch * (last && kind !== 'k' && kind !== 'v' ? targets : tokens);
    const own = sites.filter((site) => site.layer === layer);
    const adapted = own.filter(({ kind }) => BUDGET.sites.includes(kind));
    const pairs = last ? targets * (tokens - (targets + 1) / 2) : (tokens * (tokens + 1)) / 2;
    return {
      linear: Object.fromEntries(own.map((site) => [site.kind, product(rows(site.kind), site.in, site.out)])),
      down: adapted.reduce((sum, site) => sum + product(rows(site.kind), site.in, BUDGET.rank), 0),
      up: adapted.reduce((sum, site) => sum + product(rows(site.kind), BUDGET.rank, site.out), 0),
      attention: 2 * batch * config.heads * config.headSize * pairs,
    };
  });
}

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const head = ({ config, batch, targets }: Shape) => product(batch * targets, config.hiddenSize, config.vocabSize);

/** Products that scoring a batch needs. */
export function scoringFlops(shape: Shape): number {
  return total(layersOf(shape).map(({ linear, attention }) => total(Object.values(linear)) + 2 * attention)) + head(shape);
}

/**
 * Products that one training step of low-rank adapters on query and value needs. Frozen weights get no gradient, the first
 * layer's input and keys get none either, and rotary embeddings, norms and masks count as nothing.
 */
export function trainingFlops(shape: Shape): number {
  const [first, ...upper] = layersOf(shape);
  const { q: _q, k: _k, v: _v, ...after } = first!.linear;
  const forward = scoringFlops(shape) + total(layersOf(shape).map(({ down, up }) => down + up));
  const firstBack = total(Object.values(after)) + first!.down + 2 * first!.up + 3 * first!.attention;
  const upperBack = upper.map(
    ({ linear, down, up, attention }) => total(Object.values(linear)) + 2 * (down + up) + 4 * attention,
  );
  return forward + head(shape) + firstBack + total(upperBack);
}
