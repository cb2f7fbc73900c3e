// What is asked for before the component that will want it is there. The component takes it by its key, once: what it loads after that
// is loaded anew.

/** What is loaded, and how: spread into `useQuery`. */
export type Question<T> = readonly [key: string, load: () => Promise<T>];

/** An answer waits so long for who wants it: long enough for a slow machine to draw, and no old one is ever shown. */
const KEPT_MS = 5000;

const answers = new Map<string, Promise<unknown>>();

/** @returns the answer, for what is to be asked because of it; undefined where there is none */
export async function askEarly<T>([key, load]: Question<T>): Promise<T | undefined> {
  const answer = load();
  answers.set(key, answer);
  const forget = () => {
    if (answers.get(key) === answer) answers.delete(key);
  };
  try {
    const value = await answer;
    setTimeout(forget, KEPT_MS);
    return value;
  } catch {
    // Whoever wants it asks again, and shows why there is none.
    forget();
    return undefined;
  }
}

/** @returns undefined where nobody has asked */
export function takeEarly<T>(key: string): Promise<T> | undefined {
  const answer = answers.get(key);
  answers.delete(key);
  // One key is one question, and so one type.
  return answer as Promise<T> | undefined;
}
