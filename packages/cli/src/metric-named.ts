import { LetheError, didYouMean } from '@lethe/core';
import { METRICS, type Metric } from '@lethe/metrics';

/** The metric that `--metric` asked for. Throws LETHE_USAGE. */
export function metricNamed(id: string): Metric {
  const metric = METRICS.find((known) => known.id === id);
  if (metric) return metric;
  const ids = METRICS.map((known) => known.id);
  throw new LetheError('LETHE_USAGE', `There is no metric "${id}".${didYouMean(id, ids)}`, { remedy: `choose from: ${ids.join(', ')}` });
}
