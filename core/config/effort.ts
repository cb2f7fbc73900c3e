// What judging one value has cost so far. Some pieces are dear however short they are: an item of a list gets all its defaults, a
// regular expression is compiled. What is beyond here is not judged at all; there is always a rule that refuses so much by number
// (see `rules.ts`), so nothing gets through because nobody has looked.

import { expressionSize, isLiteral, sizeFault } from './expression-size.ts';
import { EXPRESSIONS_COST_MAX, ITEMS_JUDGED_MAX } from './limits.ts';

export class Effort {
  #items = 0;
  #expressionsCost = 0;
  readonly #expressions = new Set<string>();

  /** @returns whether one more item may be judged */
  takeItem(): boolean {
    return ++this.#items <= ITEMS_JUDGED_MAX;
  }

  /** @returns whether one more expression may be judged: the same one again costs nothing, nor one that will not be compiled */
  takeExpression(text: string): boolean {
    if (isLiteral(text) || this.#expressions.has(text) || sizeFault(text) !== undefined) return true;
    this.#expressionsCost += expressionSize(text).cost;
    if (this.#expressionsCost > EXPRESSIONS_COST_MAX) return false;
    this.#expressions.add(text);
    return true;
  }
}
