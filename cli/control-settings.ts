// What the control plane is started with, from the environment: where the API listens, with which certificate, and what it gives to
// new nodebalancers. Files are read here, so that a mistake is told before anything runs.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type AdminAddress, type Environment, PREFIX, VARIABLES } from './environment.ts';
import { adminAddressOf } from './own-addresses.ts';

/** PEM texts. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface ControlSettings {
  /** undefined: there is to be no control plane */
  readonly address: AdminAddress | undefined;
  readonly tls: TlsFiles | undefined;
  /** names under which it may be asked, besides addresses and localhost */
  readonly hosts: readonly string[];
  readonly region: string;
  readonly addresses: readonly string[];
  readonly floating: readonly string[];
}

export interface ControlReading {
  readonly settings: ControlSettings;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const CERTIFICATE = `${PREFIX}${VARIABLES.adminCertificate.name}`;
const KEY = `${PREFIX}${VARIABLES.adminKey.name}`;

export function readControlSettings(env: Environment): ControlReading {
  const address = adminAddressOf(env);
  const errors: string[] = [];
  const tls = readTls(env, errors);
  const settings = {
    address,
    tls,
    hosts: [...(env.adminHosts ?? []), ...(errors.length === 0 && tls !== undefined ? namesOf(tls.certificate) : [])],
    region: env.region ?? VARIABLES.region.default,
    addresses: env.addresses ?? [],
    floating: env.floatingAddresses ?? [],
  };
  return { settings, errors, warnings: errors.length > 0 ? [] : warningsOf(settings) };
}

function readTls({ adminCertificate, adminKey }: Environment, errors: string[]): TlsFiles | undefined {
  if (adminCertificate === undefined && adminKey === undefined) return undefined;
  if (adminCertificate === undefined || adminKey === undefined) {
    const [given, missing] = adminKey === undefined ? [CERTIFICATE, KEY] : [KEY, CERTIFICATE];
    errors.push(`${given} is set, but ${missing} is not: HTTPS needs both`);
    return undefined;
  }
  const certificate = readPem(CERTIFICATE, adminCertificate, errors);
  const key = readPem(KEY, adminKey, errors);
  if (certificate === undefined || key === undefined) return undefined;
  // Not imported: that would cost each start without a certificate 20 ms.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    errors.push(`${CERTIFICATE} (${adminCertificate}) and ${KEY} (${adminKey}) cannot be used together: ${reason}`);
  }
  return { certificate, key };
}

/** The DNS names of a certificate, in lower case. */
function namesOf(certificate: string): string[] {
  const { subjectAltName = '' } = new X509Certificate(certificate);
  return [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase());
}

function readPem(name: string, path: string, errors: string[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    errors.push(`${name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

function warningsOf({ address, tls }: ControlSettings): string[] {
  if (address === undefined || tls !== undefined || isLoopback(address.ip)) return [];
  return [
    `${PREFIX}${VARIABLES.adminAddress.name} is no loopback address and there is no certificate: ` +
      `tokens and configurations can be read on the way (${CERTIFICATE} and ${KEY} make it HTTPS)`,
  ];
}

function isLoopback(ip: string): boolean {
  return isIP(ip) === 4 ? ip.startsWith('127.') : ip === '::1';
}
