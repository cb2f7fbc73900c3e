// What a scenario measures, as names and units: plain values that every part of the benchmark may know.

export interface Metric {
  id: string;
  label: string;
  unit: string;
  /** `none`: shown, never compared. */
  better: 'lower' | 'higher' | 'none';
}

/** A whole distribution, of which the metrics name a few percentiles; in microseconds. */
export interface Distribution {
  id: string;
  label: string;
}
