// The picture of memory over idle connections, one line per contender, from zero on: the start and the growth in one view.

import { figure } from '../figures.ts';
import type { MergedMetric } from '../merge.ts';
import type { Report } from '../report.ts';
import { linesSpec } from './lines.ts';
import type { Picture } from './picture.ts';
import { stylesOf } from './theme.ts';

interface Step {
  connections: number;
  metric: MergedMetric;
}

/** Undefined when the report has nothing to draw here. */
export function memoryPicture(report: Report): Picture | undefined {
  const scenario = report.scenarios.find(({ name }) => name === 'idle');
  const steps = stepsOf(scenario?.metrics ?? []);
  const names = Object.keys(report.contenders).filter((name) => curveOf(steps, name).length > 1);
  if (scenario === undefined || names.length === 0) return undefined;
  return {
    name: 'memory',
    alt: `Memory over idle connections; ${names.map((name) => `${name} ${rangeOf(steps, name)}`).join(', ')}`,
    spec: (theme) => {
      const styles = stylesOf(Object.keys(report.contenders), report.subject, theme);
      const lines = styles
        .filter(({ contender }) => names.includes(contender))
        .map((style) => ({ style, label: labelOf(steps, style.contender), points: curveOf(steps, style.contender) }));
      const highest = Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y)));
      return linesSpec(
        {
          title: 'Memory of idle connections',
          subtitle: `${scenario.description}; median of ${report.rounds} rounds`,
          x: { title: 'idle connections', domain: [0, steps.at(-1)?.connections ?? 1], ticks: connectionTicks(steps) },
          y: { title: 'memory, MiB', domain: [0, highest * 1.06] },
          lines,
          dots: true,
        },
        theme,
      );
    },
  };
}

/** The metrics `at0`, `at2000` … rising. */
function stepsOf(metrics: readonly MergedMetric[]): Step[] {
  return metrics
    .flatMap((metric) => {
      const connections = /^at(\d+)$/.exec(metric.metric.id)?.[1];
      return connections === undefined ? [] : [{ connections: Number(connections), metric }];
    })
    .sort((a, b) => a.connections - b.connections);
}

function curveOf(steps: readonly Step[], name: string): { x: number; y: number }[] {
  return steps.flatMap(({ connections, metric }) => {
    const spread = metric.contenders[name];
    return spread === undefined ? [] : [{ x: connections, y: spread.median }];
  });
}

/** Ticks where memory was read, and nowhere else: between them nothing was measured. */
function connectionTicks(steps: readonly Step[]) {
  return steps.map(({ connections }) => ({ at: connections, label: connections.toLocaleString('en') }));
}

function labelOf(steps: readonly Step[], name: string): string {
  return `${name} ${figure(curveOf(steps, name).at(-1)?.y ?? 0)}`;
}

function rangeOf(steps: readonly Step[], name: string): string {
  const curve = curveOf(steps, name);
  return `from ${figure(curve[0]?.y ?? 0)} to ${figure(curve.at(-1)?.y ?? 0)} MiB`;
}
