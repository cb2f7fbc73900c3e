// Loaded before our balancer (`--import`, which its worker threads inherit) to make it slower on purpose: every accepted connection
// costs a fixed time on top. It is a preload and no switch in the product: what ships cannot be made slow.
// It hooks in where the product puts its calls together; should that place move, the canary's test fails and says so.

import { Chain } from '../../core/linux/chain.ts';

const EXTRA_NS = 200_000n;

/** Burns CPU, as slower code would; sleeping would cost nothing that is measured. */
function burn(): void {
  const end = process.hrtime.bigint() + EXTRA_NS;
  while (process.hrtime.bigint() < end);
}

const accepting = new WeakSet<Chain>();
const { add, finished } = Chain.prototype;

Chain.prototype.add = function (this: Chain, name, ...rest) {
  if (name === 'accept4') accepting.add(this);
  return add.call(this, name, ...rest);
};

Chain.prototype.finished = function (this: Chain) {
  const run = finished.call(this);
  if (!accepting.has(this)) return run;
  return () => {
    const result = run();
    if (result >= 0) burn();
    return result;
  };
};
