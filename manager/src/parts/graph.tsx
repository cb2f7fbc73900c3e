// A graph over time with a legend that says maximum, average and last value in words: nobody has to read them off a line.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import type { Plot, PlotContent } from './plot.ts';

interface GraphProps extends PlotContent {
  /** why there is nothing to draw; it takes the place of the lines, and none besides */
  readonly remark?: ComponentChildren;
}

/** Where a value would stand. */
const NO_VALUE = '–';

export function Graph({ remark, ...content }: GraphProps) {
  const { series, format, spanS } = content;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const latest = useRef<PlotContent>(content);
  latest.current = content;
  const names = series.map(({ name }) => name).join();
  useEffect(() => {
    let isOver = false;
    import('./plot.ts').then(
      ({ drawPlot }) => {
        if (!isOver && place.current !== null) plot.current = drawPlot(place.current, latest.current);
      },
      // The balancer is away, or another version by now: the legend says it all, too.
      () => {},
    );
    return () => {
      isOver = true;
      plot.current?.end();
      plot.current = undefined;
    };
  }, [names, spanS]);
  useEffect(() => plot.current?.show(series), [series]);
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
