// The clipboard, also where browsers hide it: over plain HTTP to another machine there is no navigator.clipboard.

/** @returns whether it is there now */
export async function copyText(text: string): Promise<boolean> {
  try {
    // Where it is missing, that throws, too.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** As people did before: out of a field in which all is selected. The focus returns to where it was. */
function copySelected(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement('textarea');
  field.className = 'visually-hidden';
  // No keyboard comes up on a phone.
  field.readOnly = true;
  field.value = text;
  document.body.append(field);
  field.focus({ preventScroll: true });
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return isCopied;
}
