// A graph over time with a legend that says maximum, average and last value in words: nobody has to read them off a line.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Series {
  readonly name: string;
  /** seconds since 1970, rising */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

interface GraphProps {
  /** all with the same times */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** seconds that the axis shows at most; a graph that has just begun shows a twelfth of that */
  readonly spanS: number;
  /** why there is nothing to draw; it takes the place of the lines, and none besides */
  readonly remark?: ComponentChildren;
}

const HEIGHT = 180;
const AXIS_WIDTH = 92;
const TICK_WIDTH = 80;
const MINUTE_S = 60;
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const TO_MINUTES = new Intl.DateTimeFormat(undefined, CLOCK);
const TO_SECONDS = new Intl.DateTimeFormat(undefined, { ...CLOCK, second: '2-digit' });
/** Where a value would stand. */
const NO_VALUE = '–';

export function Graph({ series, format, spanS, remark }: GraphProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const names = series.map(({ name }) => name).join();
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(series, format, spanS, parent), dataOf(series), parent);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    scheme.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
    };
  }, [names, spanS]);
  useEffect(() => plot.current?.setData(dataOf(series)), [series]);
  return (
    <figure class="graph">
      <div ref={place} class="plot" aria-hidden="true" />
      {remark !== undefined && <div class="graph-remark">{remark}</div>}
      <figcaption>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">Series</span>
              </th>
              <th scope="col" class="number">
                Max
              </th>
              <th scope="col" class="number">
                Avg
              </th>
              <th scope="col" class="number">
                Last
              </th>
            </tr>
          </thead>
          <tbody>
            {series.map(({ name, values }, index) => (
              <tr key={name}>
                <th scope="row">
                  <span class={`swatch graph-${index + 1}`} /> {name}
                </th>
                {figuresOf(values).map((value, index) => (
                  <td key={index} class="number">
                    {value === undefined ? NO_VALUE : format(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}

/** @returns maximum, average and last, as the head of the legend has them */
function figuresOf(values: readonly number[]): readonly (number | undefined)[] {
  const last = values.at(-1);
  if (last === undefined) return [undefined, undefined, undefined];
  const sum = values.reduce((total, value) => total + value, 0);
  return [values.reduce((max, value) => Math.max(max, value), 0), sum / values.length, last];
}

function dataOf(series: readonly Series[]): uPlot.AlignedData {
  const [first] = series;
  return [[...(first?.times ?? [])], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsFor(
  series: readonly Series[],
  format: GraphProps['format'],
  spanS: number,
  parent: HTMLElement,
): uPlot.Options {
  const style = getComputedStyle(parent);
  const colour = (name: string) => resolveColour(parent, `var(--${name})`);
  const axis = {
    stroke: colour('text-quiet'),
    grid: { stroke: colour('line'), width: 1 },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_, first, last) => spanOf(first, last, spanS) },
      y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] },
    },
    axes: [
      { ...axis, space: TICK_WIDTH, values: (_, times, __, ___, stepS) => times.map(clock(stepS)) },
      { ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...series.map(({ name }, index) => {
        const stroke = colour(`graph-${index + 1}`);
        return {
          label: name,
          stroke,
          fill: `color-mix(in srgb, ${stroke} 18%, transparent)`,
          width: 2,
          points: { show: false },
        };
      }),
    ],
  };
}

/** @param first null, like `last`, while there is nothing to draw: then it ends now */
function spanOf(first: number | null, last: number | null, spanS: number): [number, number] {
  const end = last ?? Date.now() / 1000;
  return [Math.max(end - spanS, Math.min(first ?? end, end - spanS / 12)), end];
}

/** Local times, as exact as the steps between them. */
function clock(stepS: number): (time: number) => string {
  const format = stepS < MINUTE_S ? TO_SECONDS : TO_MINUTES;
  return (time) => format.format(time * 1000);
}

/** A canvas knows no custom properties and no light-dark(). */
function resolveColour(parent: HTMLElement, value: string): string {
  const probe = document.createElement('span');
  probe.style.color = value;
  parent.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
