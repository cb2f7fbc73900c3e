// What the control plane is started with: certificates that cannot be used are told before anything runs, each with its variable.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readControlSettings } from '../../../cli/control-settings.ts';
import { CERTIFICATE, KEY, OTHER_KEY } from '../../../testing/certificate.ts';
import { makeTemporaryDirectory } from '../../../testing/temporary.ts';

let certificate: string;
let key: string;
let otherKey: string;

beforeAll(() => {
  const directory = makeTemporaryDirectory('certificate');
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  certificate = file('certificate.pem', CERTIFICATE);
  key = file('key.pem', KEY);
  otherKey = file('other.pem', OTHER_KEY);
});

test('nothing set: HTTP on loopback, one region, no addresses, nothing said', () => {
  expect(readControlSettings({})).toEqual({
    settings: {
      address: { ip: '127.0.0.1', port: 8080 },
      tls: undefined,
      hosts: [],
      region: 'local',
      addresses: [],
      floating: [],
    },
    errors: [],
    warnings: [],
  });
});

test('floating addresses reach the API: it must not refuse them', () => {
  const { settings } = readControlSettings({ floatingAddresses: ['192.0.2.1'] });
  expect(settings.floating).toEqual(['192.0.2.1']);
});

test('off: no address', () => {
  expect(readControlSettings({ adminAddress: 'off' })).toMatchObject({ settings: { address: undefined }, errors: [] });
});

describe('a certificate and its key', () => {
  test('make it HTTPS', () => {
    const { settings, errors } = readControlSettings({ adminCertificate: certificate, adminKey: key });
    expect(errors).toEqual([]);
    expect(settings.tls?.certificate).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(settings.tls?.key).toMatch(/PRIVATE KEY/);
  });

  test('its names are those that the API may be asked under, and those that were set', () => {
    const { settings } = readControlSettings({ adminCertificate: certificate, adminKey: key, adminHosts: ['proxy'] });
    expect(settings.hosts).toEqual(['proxy', 'localhost', 'balancer.test']);
  });

  test('one without the other is a mistake', () => {
    expect(readControlSettings({ adminCertificate: certificate }).errors).toEqual([
      'BALANCER_ADMIN_CERTIFICATE is set, but BALANCER_ADMIN_KEY is not: HTTPS needs both',
    ]);
    expect(readControlSettings({ adminKey: key }).errors).toEqual([
      'BALANCER_ADMIN_KEY is set, but BALANCER_ADMIN_CERTIFICATE is not: HTTPS needs both',
    ]);
  });

  test('files that cannot be read are all named', () => {
    const { errors } = readControlSettings({ adminCertificate: '/none/a.pem', adminKey: '/none/b.pem' });
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(/^BALANCER_ADMIN_CERTIFICATE: .*\/none\/a\.pem/);
    expect(errors[1]).toMatch(/^BALANCER_ADMIN_KEY: .*\/none\/b\.pem/);
  });

  test('that do not belong together, or are no PEM at all', () => {
    const text = join(makeTemporaryDirectory('certificate'), 'text.pem');
    writeFileSync(text, 'not a certificate');
    const pairs: [string, string][] = [
      [certificate, otherKey],
      [text, key],
      [certificate, text],
    ];
    for (const [cert, secret] of pairs) {
      const { errors } = readControlSettings({ adminCertificate: cert, adminKey: secret });
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain(
        `BALANCER_ADMIN_CERTIFICATE (${cert}) and BALANCER_ADMIN_KEY (${secret}) cannot be used`,
      );
    }
  });
});

test.for([
  ['127.0.0.1', 0],
  ['127.9.9.9', 0],
  ['::1', 0],
  ['0.0.0.0', 1],
  ['192.0.2.1', 1],
  ['::', 1],
] as const)('HTTP at %s: %d warnings about who can read along', ([ip, count]) => {
  const { warnings } = readControlSettings({ adminAddress: { ip, port: 8080 } });
  expect(warnings).toHaveLength(count);
  if (count > 0) expect(warnings[0]).toContain('BALANCER_ADMIN_CERTIFICATE');
});
