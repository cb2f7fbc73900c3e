// The page itself: the files that `npm run build` made of manager/, and their brotli forms beside them; read once and kept.

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from './context.ts';

const DIRECTORY = fileURLToPath(new URL('../../manager/dist', import.meta.url));

/** Nothing from anywhere else, nothing inline, nobody's frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Addresses that the page itself makes something of. */
const PAGES = ['/', '/nodebalancers', '/nodebalancers/*', '/sessions', '/events', '/history'] as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const NOT_BUILT =
  'The page is not built here: run "npm run build" in the folder of the balancer and start it again. The API is at /v4 and described ' +
  'at /docs/api.\n';

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  /** undefined where another tool than our build made the files */
  readonly brotli: Buffer | undefined;
}

export function pageRoutes(app: FastifyInstance, _context: ApiContext): void {
  const { index, assets } = readPage();
  const open = { config: { isOpen: true } };
  for (const path of PAGES) {
    app.get(path, open, async (request, reply) => {
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
      if (index === undefined) return reply.code(404).type('text/plain; charset=utf-8').send(NOT_BUILT);
      // The names in it change with every build.
      reply.header('cache-control', 'no-cache');
      return sendAsset(request, reply, index);
    });
  }
  for (const [path, asset] of assets) {
    app.get(path, open, async (request, reply) => {
      // A name that is made from what is in the file can be kept for ever.
      reply.header('cache-control', 'public, max-age=31536000, immutable');
      return sendAsset(request, reply, asset);
    });
  }
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  reply.header('vary', 'Accept-Encoding').type(asset.type);
  if (asset.brotli !== undefined && /\bbr\b/.test(accepted)) {
    return reply.header('content-encoding', 'br').send(asset.brotli);
  }
  if (/\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(asset.gzip);
  return reply.send(asset.plain);
}

interface Page {
  readonly index: Asset | undefined;
  /** by path, as `index.html` names them */
  readonly assets: ReadonlyMap<string, Asset>;
}

let page: Page | undefined;

/** Once: to compress takes its time, and every server that is made, also in vain because its port is taken, has the same page. */
function readPage(): Page {
  page ??= { index: readAsset('index.html'), assets: readAssets() };
  return page;
}

function readAssets(): ReadonlyMap<string, Asset> {
  let names: readonly string[];
  try {
    names = readdirSync(join(DIRECTORY, 'assets'));
  } catch {
    names = [];
  }
  const found = names.map((name) => [`/assets/${name}`, readAsset(join('assets', name))] as const);
  return new Map(found.flatMap(([path, asset]) => (asset === undefined ? [] : [[path, asset] as const])));
}

function readAsset(name: string): Asset | undefined {
  const plain = read(name);
  const type = TYPES[extname(name)];
  if (plain === undefined || type === undefined) return undefined;
  return { type, plain, gzip: gzipSync(plain), brotli: read(`${name}.br`) };
}

function read(name: string): Buffer | undefined {
  try {
    return readFileSync(join(DIRECTORY, name));
  } catch {
    return undefined;
  }
}
