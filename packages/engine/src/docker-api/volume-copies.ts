import { WharfError } from '@wharf/kit';
import type { ApiRequest, Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';

/** Backup, restore, copy and renaming of volumes: wharf's own, below `/wharf`. */
export function volumeCopiesRoutes({ volumes }: Pick<Engine, 'volumes'>): readonly Route[] {
  const { copies } = volumes;
  return [
    {
      method: 'GET',
      pattern: '/wharf/volumes/{name}/export',
      handler: async ({ params, signal }, response) => {
        const name = params['name'] ?? '';
        volumes.record(name);
        const output = response.stream(200, 'application/x-tar');
        await copies.export(name, { write: (chunk) => output.write(chunk), signal });
        output.end();
      },
    },
    {
      method: 'POST',
      pattern: '/wharf/volumes/{name}/import',
      handler: async ({ params, body, signal }, response) => {
        try {
          response.json(201, await copies.import(params['name'] ?? '', { body, signal }));
        } finally {
          body.resume();
        }
      },
    },
    {
      method: 'POST',
      pattern: '/wharf/volumes/{name}/clone',
      handler: async (request, response) => {
        response.json(201, await copies.clone(request.params['name'] ?? '', newName(request)));
      },
    },
    {
      method: 'POST',
      pattern: '/wharf/volumes/{name}/rename',
      handler: async (request, response) => {
        response.json(200, await copies.rename(request.params['name'] ?? '', newName(request)));
      },
    },
  ];
}

function newName({ query }: ApiRequest): string {
  const name = query.get('name') ?? '';
  if (name === '') throw new WharfError('invalid-argument', 'the parameter "name" says how the volume is to be called');
  return name;
}
