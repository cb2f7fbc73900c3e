// Logging in at the page: with a token, or with a one-time address that `balancer login` prints.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { isRecord } from '../../core/config/problem.ts';
import { cookiesOf, loginOf, noteStranger } from './auth.ts';
import type { ApiContext } from './context.ts';
import { apiError } from './errors.ts';
import { LOGIN_HOURS, type Login } from './logins.ts';

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

export function loginRoutes(app: FastifyInstance, { logins, plane, settings, tokens, now }: ApiContext): void {
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
      const info = typeof token === 'string' ? tokens.verify(token) : undefined;
      if (info === undefined) {
        noteStranger(request, app.rateLimit, now(), typeof token === 'string');
        throw apiError(401, 'Invalid Token', 'token');
      }
      // Each is written to the disk.
      if (app.rateLimit.take(info.label, 'login', now()).isExceeded) throw apiError(429, 'Too many requests');
      const login = logins.create(info);
      setCookie(reply, login.value);
      return view(login);
    },
  );

  app.post(
    `${PATH}/end`,
    {
      config: { isOpen: true },
      bodyLimit: OPEN_BODY_BYTES_MAX,
      schema: { summary: 'Log out: the cookie is worth nothing afterwards', response: { 200: Type.Object({}) } },
    },
    async (request, reply) => {
      setCookie(reply, '', 0);
      // Without the word that a change needs: whoever can send the cookie can do no worse than end
      // it.
      for (const value of cookiesOf(request, logins)) logins.end(value);
      return {};
    },
  );

  app.post(
    `${PATH}/codes`,
    {
      config: { rate: 'login' },
      schema: {
        summary: 'A path that logs in whoever opens it, once, within 15 minutes',
        response: {
          200: Type.Object({
            id: Type.Integer({ description: 'By which it can be taken back.' }),
            path: Type.String(),
            url: Type.Optional(Type.String()),
            until: Type.String(),
          }),
        },
      },
    },
    async () => {
      const { code, info } = logins.createCode();
      const [path, { id, until }] = [loginPath(code), info];
      return settings.pageUrl === undefined
        ? { id, path, until }
        : { id, path, url: `${settings.pageUrl}${path}`, until };
    },
  );

  // No schema: it is no part of the API, but where a browser is sent.
  // Not for HEAD, which whoever previews an address may send: it would use the code up.
  app.get('/login', { config: { isOpen: true }, exposeHeadRoute: false }, async (request, reply) => {
    const code = isRecord(request.query) ? request.query.code : undefined;
    const login = typeof code === 'string' ? logins.withCode(code) : undefined;
    if (login !== undefined) setCookie(reply, login.value);
    return reply.redirect('/', 303);
  });
}

/** Of no more use once it was opened, or after 15 minutes. */
export function loginPath(code: string): string {
  return `/login?code=${code}`;
}
