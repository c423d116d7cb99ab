import { decodeAuthConfig } from '@wharf/wire/docker/decode';
import type { Route } from '@wharf/wire/http/route';
import { loginToRegistry, registryHost } from '@wharf/wire/registry/login';
import type { Engine } from '../engine.ts';

/** True when the operator has named the host as insecure, or it is this machine, as dockerd has it. */
function isInsecure(host: string, insecure: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return (
    insecure.includes(host) ||
    insecure.includes(name) ||
    name === 'localhost' ||
    name === '::1' ||
    name.startsWith('127.')
  );
}

/** `POST /auth`: checks credentials against a registry and keeps nothing. */
export function authRoutes({ config, system }: Pick<Engine, 'config' | 'system'>): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/auth',
      handler: async (request, response) => {
        const { username, password, identitytoken, serveraddress = '' } = decodeAuthConfig(await request.json());
        const token = await loginToRegistry({
          serverAddress: serveraddress,
          credentials: { username, password, identityToken: identitytoken },
          insecure: isInsecure(registryHost(serveraddress), config.insecureRegistries),
          userAgent: `wharf/${system.version}`,
          signal: request.signal,
        });
        response.json(200, { Status: 'Login Succeeded', ...(token === '' ? {} : { IdentityToken: token }) });
      },
    },
  ];
}
