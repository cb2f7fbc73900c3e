// What a picture is to those who place it: a name for its files, words for those who do not see it, and how to draw it.

import type { TopLevelSpec } from 'vega-lite';
import type { Theme } from './theme.ts';

export interface Picture {
  /** `NAME-light.svg`, `NAME-dark.svg` */
  name: string;
  alt: string;
  spec(theme: Theme): TopLevelSpec;
}

/** A file as it shall be, its path below the root of the tree. */
export interface TextFile {
  path: string;
  text: string;
}

export const PICTURES_FOLDER = 'bench/pictures';

/** Path below the root of the tree. */
export function picturePath({ name }: Pick<Picture, 'name'>, theme: Theme['name']): string {
  return `${PICTURES_FOLDER}/${name}-${theme}.svg`;
}
