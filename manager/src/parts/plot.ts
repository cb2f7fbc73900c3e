// The lines of a graph over time. Loaded by the first graph that there is and no sooner: the library is a third of all that the page
// is made of, and most pages have no graph.

import uPlot from 'uplot';

export interface Series {
  readonly name: string;
  /** seconds since 1970, rising */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

export interface PlotContent {
  /** all with the same times */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** seconds that the axis shows at most; a graph that has just begun shows a twelfth of that */
  readonly spanS: number;
}

export interface Plot {
  /** the same series with other values */
  readonly show: (series: readonly Series[]) => void;
  readonly end: () => void;
}

const HEIGHT = 180;
const AXIS_WIDTH = 92;
const TICK_WIDTH = 80;
const MINUTE_S = 60;

/** As wide as its parent at any time, and in the colours of the theme. */
export function drawPlot(parent: HTMLElement, content: PlotContent): Plot {
  let { series } = content;
  const draw = () => new uPlot(optionsFor(content, parent), dataOf(series), parent);
  let plot = draw();
  const drawAnew = () => {
    plot.destroy();
    plot = draw();
  };
  const observer = new ResizeObserver(() => plot.setSize({ width: parent.clientWidth, height: HEIGHT }));
  observer.observe(parent);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const theme = new MutationObserver(drawAnew);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  scheme.addEventListener('change', drawAnew);
  return {
    show: (next) => {
      series = next;
      plot.setData(dataOf(series));
    },
    end: () => {
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener('change', drawAnew);
      plot.destroy();
    },
  };
}

function dataOf(series: readonly Series[]): uPlot.AlignedData {
  const [first] = series;
  return [[...(first?.times ?? [])], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsFor({ series, format, spanS }: PlotContent, parent: HTMLElement): uPlot.Options {
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
  const isExact = stepS < MINUTE_S;
  return (time) => {
    const date = new Date(time * 1000);
    const parts = [date.getHours(), date.getMinutes(), ...(isExact ? [date.getSeconds()] : [])];
    return parts.map((part) => String(part).padStart(2, '0')).join(':');
  };
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
