// The page is read and compressed once, however many servers there are: a port that is taken makes another every five seconds.

import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { createServer } from '../../../../control/api/server.ts';
import { startLab } from './support.ts';

test('a second server compresses nothing', async () => {
  const lab = startLab();
  await lab.app.ready();
  const { gzipSync } = zlib;
  let calls = 0;
  zlib.gzipSync = (...given) => {
    calls++;
    return gzipSync(...given);
  };
  syncBuiltinESMExports();
  const second = createServer(lab.context, { trusted: true });
  await second.ready();
  expect((await second.inject({ url: '/' })).statusCode).toBe((await lab.app.inject({ url: '/' })).statusCode);
  expect(calls).toBe(0);
  zlib.gzipSync = gzipSync;
  syncBuiltinESMExports();
  await second.close();
  await lab.close();
});
