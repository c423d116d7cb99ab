import { decodeAuthConfig } from '@wharf/wire/docker/decode';
import type { Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';

/** `POST /auth`: checks credentials against a registry and keeps nothing. */
export function authRoutes({ registries }: Pick<Engine, 'registries'>): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: '/auth',
      handler: async (request, response) => {
        const given = decodeAuthConfig(await request.json());
        const { username, password, identitytoken, serveraddress = '' } = given;
        const credentials = { username, password, identityToken: identitytoken, serverAddress: serveraddress };
        const token = await (await registries()).login(serveraddress, credentials, request.signal);
        response.json(200, { IdentityToken: token, Status: 'Login Succeeded' });
      },
    },
  ];
}
