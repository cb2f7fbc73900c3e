// The lines of a change, for people: where it is, and of each field what it was and what it has become.

import { useState } from 'preact/hooks';
import { readChange } from './change-line.ts';

/** A change of a thousand nodes has a line for each. */
const SHOWN = 12;

export function ChangeList({ changes }: { readonly changes: readonly string[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? changes : changes.slice(0, SHOWN);
  return (
    <>
      <ul class="changes">
        {shown.map((line, index) => (
          <li key={index}>
            <ChangeLine line={line} />
          </li>
        ))}
      </ul>
      {changes.length > shown.length && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          Show all {changes.length} lines
        </button>
      )}
    </>
  );
}

function ChangeLine({ line }: { readonly line: string }) {
  const { place, text, fields } = readChange(line);
  return (
    <span class="change-line">
      {place !== '' && <span class="change-place">{place}</span>}
      {text !== '' && <span>{text}</span>}
      {fields.map(({ name, from, to }) => (
        <span key={name} class="change-field">
          {name} <del>{from}</del> <span aria-hidden="true">→</span>
          <span class="visually-hidden">became</span> <ins>{to}</ins>
        </span>
      ))}
    </span>
  );
}
