// Logging in at the page: with a token, or with a one-time address that `balancer login` prints.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { isRecord } from '../../core/config/problem.ts';
import { loginOf, noteStranger } from './auth.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';
import { LOGIN_HOURS, type Login, type Logins } from './logins.ts';

const LoginView = Type.Object({
  author: Type.String(),
  scope: Type.Enum(['read_only', 'read_write']),
  csrf: Type.String({ description: 'To be sent as X-CSRF-Token with every change by cookie.' }),
  file: Type.Union([Type.String(), Type.Null()], {
    description: 'The configuration file, where nothing can be changed here.',
  }),
  version: Type.String(),
});

const PATH = '/balancer/v1/login';
/** Who asks is not known yet. */
const OPEN_BODY_BYTES_MAX = 4096;
const SECONDS_PER_HOUR = 3600;

export function loginRoutes(app: FastifyInstance, { logins, plane, settings, now }: ApiContext): void {
  const view = ({ caller, csrf }: Pick<Login, 'caller' | 'csrf'>) => ({
    author: caller.author,
    scope: caller.scope,
    csrf,
    file: plane.file ?? null,
    version: plane.snapshot().version,
  });

  const setCookie = (reply: FastifyReply, value: string, maxAgeS = LOGIN_HOURS * SECONDS_PER_HOUR) => {
    const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${app.isSecure ? '; Secure' : ''}`;
    reply.header('set-cookie', `${logins.cookieName}=${value}; ${attributes}`);
  };

  app.get(PATH, { schema: { summary: 'Who is asking', response: { 200: LoginView } } }, async (request) => {
    return view({ caller: request.caller, csrf: loginOf(request, logins)?.csrf ?? '' });
  });

  app.post(
    PATH,
    {
      config: { isOpen: true },
      bodyLimit: OPEN_BODY_BYTES_MAX,
      schema: {
        summary: 'Log in with a token: sets a cookie',
        body: Type.Object({ token: Type.String() }),
        response: { 200: LoginView },
      },
    },
    async (request, reply) => {
      const token = isRecord(request.body) ? request.body.token : undefined;
      const login = typeof token === 'string' ? logins.withToken(token) : undefined;
      if (login === undefined) {
        noteStranger(request, app.rateLimit, now(), typeof token === 'string');
        throw apiError(401, 'Invalid Token', 'token');
      }
      setCookie(reply, login.value);
      return view(login);
    },
  );

  app.post(
    `${PATH}/end`,
    {
      config: { isOpen: true },
      bodyLimit: OPEN_BODY_BYTES_MAX,
      schema: { summary: 'Log out: takes the cookie back', response: { 200: Type.Object({}) } },
    },
    async (_request, reply) => {
      setCookie(reply, '', 0);
      return {};
    },
  );

  app.post(
    `${PATH}/codes`,
    {
      schema: {
        summary: 'A path that logs in whoever opens it, once, within 15 minutes',
        response: { 200: Type.Object({ path: Type.String(), url: Type.Optional(Type.String()) }) },
      },
    },
    async () => {
      const path = loginPath(logins);
      return settings.pageUrl === undefined ? { path } : { path, url: `${settings.pageUrl}${path}` };
    },
  );

  // No schema: it is no part of the API, but where a browser is sent.
  app.get('/login', { config: { isOpen: true } }, async (request, reply) => {
    const code = isRecord(request.query) ? request.query.code : undefined;
    const login = typeof code === 'string' ? logins.withCode(code) : undefined;
    if (login !== undefined) setCookie(reply, login.value);
    return reply.redirect('/', 303);
  });
}

/** Of no more use once it was opened, or after 15 minutes. */
export function loginPath(logins: Logins): string {
  return `/login?code=${logins.createCode()}`;
}
