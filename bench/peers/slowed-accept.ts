// Loaded before our balancer (`--import`, which its worker threads inherit) to make it slower on purpose: every accepted connection
// costs a fixed time on top. It is a preload and no switch in the product: what ships cannot be made slow.
// It hooks in where the product declares libc's functions; should that place move, the canary's test fails and says so.

import koffi from 'koffi';

const EXTRA_NS = 200_000n;

/** Burns CPU, as slower code would; sleeping would cost nothing that is measured. */
function burn(): void {
  const end = process.hrtime.bigint() + EXTRA_NS;
  while (process.hrtime.bigint() < end);
}

const load = koffi.load;
koffi.load = (...args) => {
  // A proxy, because the library's own methods can be neither replaced nor called on anything else.
  return new Proxy(load(...args), {
    get(library, property) {
      if (property !== 'func') return Reflect.get(library, property, library);
      return (name: string, result: string, parameters: string[]) => {
        const call = library.func(name, result, parameters);
        return name === 'accept4' ? slowed(call) : call;
      };
    },
  });
};

function slowed(call: (...values: number[]) => number): typeof call {
  return (...values) => {
    const descriptor = call(...values);
    // After a failure errno is read at once: nothing may come in between.
    if (descriptor >= 0) burn();
    return descriptor;
  };
}
