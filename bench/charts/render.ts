// From specifications to SVG, without a browser. The only file that loads vega, which takes its time: who records nothing does not
// import it.

import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Report } from '../report.ts';
import { picturePath, type TextFile } from './picture.ts';
import { picturesOf } from './pictures.ts';
import { THEMES } from './theme.ts';

async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

/** Every picture of a run in every theme. */
export async function renderPictures(report: Report): Promise<TextFile[]> {
  const files: TextFile[] = [];
  for (const picture of picturesOf(report)) {
    for (const theme of THEMES) {
      files.push({ path: picturePath(picture, theme.name), text: await renderSvg(picture.spec(theme)) });
    }
  }
  return files;
}
