// "Did you mean …?": the candidate nearest to a misspelled word, or none when it would be a guess.
// Words only; who asks decides what the candidates are.

/** @returns the nearest candidate, or undefined when none is near */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  // No candidate is this long, and the distance costs length times length.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = nearness(plain(word), plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `proxyProtocol`, `proxy-protocol` and `PROXY_PROTOCOL` are the same word. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '');
}

/** Infinity: not near. One slip per three letters; `v3` is therefore not near `v1`. */
function nearness(word: string, candidate: string): number {
  const allowed = Math.floor(Math.max(word.length, candidate.length) / 3);
  const distance = editDistance(word, candidate);
  if (distance <= allowed) return distance;
  // `timeout` for `check_timeout`, `leastconnections` for `leastconn`.
  const shorter = Math.min(word.length, candidate.length);
  if (shorter >= 4 && (candidate.includes(word) || word.includes(candidate))) return distance;
  return Number.POSITIVE_INFINITY;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let current = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const beforePrevious = previous;
    previous = current;
    current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(cell(previous, j) + 1, cell(current, j - 1) + 1, cell(previous, j - 1) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, cell(beforePrevious, j - 2) + 1);
      current.push(best);
    }
  }
  return cell(current, b.length);
}

function cell(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
