// Keeps the layout's one-way imports true (see docs/decisions.md): the import graph is the architecture.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** Layer -> the layers it may import besides itself. The longest matching path names a file's layer. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'core/base': [],
  'core/linux': ['core/base'],
  'core/proxy-protocol': ['core/base'],
  'core/config': ['core/base'],
  'core/balance': ['core/base'],
  'core/health': ['core/base'],
  'core/metrics': ['core/base'],
  'core/session': [
    'core/balance',
    'core/health',
    'core/config',
    'core/metrics',
    'core/proxy-protocol',
    'core/linux',
    'core/base',
  ],
  workers: ['core'],
  control: ['core/config', 'core/metrics', 'core/health', 'core/proxy-protocol', 'core/base', 'workers'],
  // The page knows the API, nothing of what serves it.
  manager: [],
  cli: ['core', 'workers', 'control'],
  bin: ['cli'],
  // What tests, benchmarks and scripts start, script and wait for.
  testing: ['core'],
  bench: ['core', 'testing', 'scripts', 'bin'],
  scripts: ['bin', 'core', 'testing'],
  tests: ['core', 'workers', 'control', 'manager', 'cli', 'bench', 'scripts', 'bin', 'testing', 'vitest.config.ts'],
};

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(tsx?|js)$/.test(name) && !name.startsWith('dist'))
    .map((name) => join(folder, name));
}

function layerOf(path: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function relativeImports(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map((match) => {
    const target = match[1] ?? '';
    return relative(ROOT, resolve(ROOT, dirname(file), target));
  });
}

const files = ['core', 'workers', 'control', 'manager', 'cli', 'bin', 'bench', 'scripts', 'testing', 'tests'].flatMap(
  sourceFiles,
);

test('every source file belongs to a layer', () => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
});

test('imports point one way', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const layer = layerOf(file);
    if (layer === undefined) continue;
    const allowed = [layer, ...(MAY_IMPORT[layer] ?? [])];
    for (const target of relativeImports(file)) {
      if (!allowed.some((prefix) => target === prefix || target.startsWith(`${prefix}/`)))
        wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('only workers and the control thread know threads, and core knows neither threads, HTTP, argv nor the environment', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const outside = !/^(workers|control\/thread|tests)\//.test(file);
    if (outside && /from 'node:worker_threads'|from 'piscina'/.test(text)) wrong.push(`${file} uses threads`);
    if (file.startsWith('core/') && /process\.(env|argv)|from 'node:https?'/.test(text)) {
      wrong.push(`${file} reaches outside its shard`);
    }
    if (file.startsWith('core/') && file !== 'core/linux/system-calls.ts' && /from 'koffi'/.test(text)) {
      wrong.push(`${file} touches the kernel`);
    }
  }
  expect(wrong).toEqual([]);
});

test('nothing but look-ups of host names uses the pool of threads that the process has once', () => {
  // By what it is imported as: a name that ends in Sync, a constant, a type, or what works without a thread.
  const harmless =
    /Sync$|^constants$|^type |^(hash|createHash|createHmac|randomBytes|timingSafeEqual|X509Certificate|randomUUID)$/;
  const wrong: string[] = [];
  for (const file of files.filter((name) => /^(core|workers|control|cli)\//.test(name))) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, names = '', module = ''] of text.matchAll(
      /import ([^;]*?) from 'node:(fs|fs\/promises|zlib|crypto|dns|dns\/promises)'/g,
    )) {
      const isType = names.startsWith('type ');
      const used = isType
        ? []
        : names
            .replaceAll(/[{}]/g, '')
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== '');
      const isGood =
        module === 'dns/promises' ? file === 'workers/resolver.ts' : used.every((name) => harmless.test(name));
      if (!isGood) wrong.push(`${file} imports ${names} from node:${module}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('nobody prints by Node.js’s own streams, which tell of a full disk when the exit code is long 0, and may hold `run` up', () => {
  const product = files.filter((name) => /^(core|workers|control|cli)\//.test(name));
  const wrong = product.filter((file) => {
    const code = readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$|\/\/ .*$/gm, '');
    return /process\.(stdout|stderr)|console\./.test(code);
  });
  expect(wrong).toEqual([]);
});

test('a shard runs nothing but its loop: no promise, timer, stream, console or import() after start', () => {
  const shardFiles = files.filter((file) => /^core\/(base|balance|metrics|proxy-protocol|session)\//.test(file));
  const linuxFiles = ['chain', 'connections', 'native', 'pipe-pool', 'transfers'].map(
    (name) => `core/linux/${name}.ts`,
  );
  const threadFiles = ['workers/listener-worker.ts', ...linuxFiles];
  const wrong = [...shardFiles, ...threadFiles].filter((file) => {
    const code = readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '');
    return /\bawait\b|\basync\b|\bPromise\b|setTimeout|setInterval|setImmediate|nextTick|queueMicrotask|console\.|import\(/.test(
      code,
    );
  });
  expect(wrong).toEqual([]);
});
