// The metricMeter of activities, as Temporal's own worker makes it: see its runtime-metrics.ts. The tags that each value has are Go's
// to add.
import {
  MetricMeterWithComposedTags,
  type Metric,
  type MetricKind,
  type MetricMeter,
  type MetricTags,
  type NumericMetricValueType,
} from '@temporalio/common';

export type Measure = (
  kind: MetricKind,
  name: string,
  valueType: NumericMetricValueType,
  unit: string,
  description: string,
  value: number,
  tags: MetricTags
) => void;

export function meterOf(measure: Measure): MetricMeter {
  // What is alike in all kinds; withTags is the composing meter's.
  const metric = (kind: MetricKind, valueType: NumericMetricValueType, name: string, unit = '', description = '', what?: string): any => {
    const take = (value: number, tags: MetricTags = {}) => {
      if (what && value < 0) throw new Error(`${what} value must be non-negative (got ${value})`);
      measure(kind, name, valueType, unit, description, value, tags);
    };
    return { kind, valueType, name, unit, description, add: take, record: take, set: take } satisfies Metric & Record<string, unknown>;
  };
  const meter = {
    createCounter: (name, unit, description) => metric('counter', 'int', name, unit, description, 'MetricCounter'),
    createHistogram: (name, valueType = 'int', unit, description) => metric('histogram', valueType, name, unit, description, 'MetricHistogram'),
    createGauge: (name, valueType = 'int', unit, description) => metric('gauge', valueType, name, unit, description, 'MetricGauge'),
    createUpDownCounter: (name, unit, description) => metric('up-down-counter', 'int', name, unit, description),
    withTags(): never {
      throw new Error('withTags is not supported directly');
    },
  } satisfies MetricMeter;
  return MetricMeterWithComposedTags.compose(meter, {}, true);
}
