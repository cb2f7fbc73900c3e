// How the pictures look: two themes, for a light and a dark page, on a transparent ground. Ours has the strong colour, peers calm
// ones that differ in lightness as well as in hue, so that they stay apart for colour-blind readers and in grey; lines have
// a dash pattern each besides. No font is named that a reader may not have.

import type { Config } from 'vega-lite';
import { isEarlierRevision } from '../merge.ts';

export interface Theme {
  name: 'light' | 'dark';
  text: string;
  muted: string;
  grid: string;
  subject: string;
  earlier: string;
  /** In the order in which contenders that are not the subject get them. */
  peers: readonly [string, ...string[]];
}

/** The text and line colours of GitHub's own pages. */
export const THEMES: readonly Theme[] = [
  {
    name: 'light',
    text: '#1f2328',
    muted: '#59636e',
    grid: '#d1d9e0',
    subject: '#d1430a',
    earlier: '#e8a17f',
    peers: ['#24508f', '#4a9bcb', '#87847f', '#6f4e9e'],
  },
  {
    name: 'dark',
    text: '#f0f6fc',
    muted: '#9198a1',
    grid: '#3d444d',
    subject: '#ff7a3d',
    earlier: '#b0704f',
    peers: ['#4a86e0', '#a5d6f5', '#98948c', '#b39ddb'],
  },
];

const FONT = 'system-ui, sans-serif';
const DASHES: readonly [number[], ...number[][]] = [
  [1, 0],
  [7, 3],
  [2, 3],
  [9, 3, 2, 3],
];

/** How one contender is drawn, everywhere the same. */
export interface Style {
  contender: string;
  colour: string;
  dash: number[];
  strokeWidth: number;
}

/** Peers take the colours in the order of the report, so that a peer looks alike in all pictures of a run. */
export function stylesOf(contenders: readonly string[], subject: string, theme: Theme): Style[] {
  let peers = 0;
  return contenders.map((contender) => {
    if (contender === subject) return { contender, colour: theme.subject, dash: DASHES[0], strokeWidth: 3.5 };
    const earlier = isEarlierRevision(contender, subject);
    if (earlier) return { contender, colour: theme.earlier, dash: DASHES[0], strokeWidth: 2.5 };
    const place = peers++;
    return {
      contender,
      colour: theme.peers[place % theme.peers.length] ?? theme.peers[0],
      dash: DASHES[place % DASHES.length] ?? DASHES[0],
      strokeWidth: 2.25,
    };
  });
}

/** Every picture is this wide, in pixels: about the width of GitHub's column of text, so that letters keep their size. */
export const PICTURE_WIDTH = 800;
const TITLE_HEIGHT = 55;
const SUBTITLE_LINE_HEIGHT = 17;

/**
 * What goes around the plot. Sizes are said, not computed by the library: without a canvas it takes all text for a third wider than
 * it is, and pictures would come out with empty margins of various widths.
 */
export function frameOf(left: number, plotWidth: number, bottom: number, subtitleLines: number, belowTitle = 0) {
  const right = PICTURE_WIDTH - left - plotWidth;
  return {
    autosize: { type: 'none' as const },
    padding: { left, right, bottom, top: TITLE_HEIGHT + subtitleLines * SUBTITLE_LINE_HEIGHT + belowTitle },
  };
}

/** The part of a specification that says how things look. */
export function configOf(theme: Theme): Config {
  const { text, muted, grid } = theme;
  return {
    background: 'transparent',
    font: FONT,
    view: { stroke: null },
    title: {
      anchor: 'start',
      frame: 'group',
      color: text,
      fontSize: 18,
      fontWeight: 600,
      offset: 18,
      subtitleColor: muted,
      subtitleFontSize: 13,
      subtitlePadding: 7,
      subtitleLineHeight: SUBTITLE_LINE_HEIGHT,
    },
    axis: {
      labelColor: muted,
      labelFontSize: 13,
      labelPadding: 6,
      labelFlush: false,
      titleColor: text,
      titleFontSize: 14,
      titleFontWeight: 'normal',
      titlePadding: 10,
      gridColor: grid,
      domainColor: grid,
      tickColor: grid,
    },
    text: { color: text, fontSize: 13 },
  };
}
