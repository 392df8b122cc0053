import { LetheError, didYouMean } from '@lethe/core';
import { METRICS, type Metric } from '@lethe/metrics';

/** The metric that `--metric` asked for. Throws LETHE_USAGE. */
export function metricNamed(id: string): Metric {
  const metric = METRICS.find((known) => known.id === id);
  if (metric) return metric;
  const ids = METRICS.map((known) => known.id);
  // a word of a name is far from it in letters
  const near = ids.find((known) => known.toLowerCase().includes(id.toLowerCase()));
  const meant = near === undefined ? didYouMean(id, ids) : ` Did you mean "${near}"?`;
  throw new LetheError('LETHE_USAGE', `There is no metric "${id}".${meant}`, { remedy: `choose from: ${ids.join(', ')}` });
}
