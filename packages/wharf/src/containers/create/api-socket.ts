import { posix } from 'node:path';
import { WharfError } from '@wharf/kit/errors';
import { buildTar } from '@wharf/oci/tar/build';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { DockerConfig, type RegistryLogin } from '../../client-config/docker-config.ts';
import { containerPath } from '../path.ts';
import { type CreateBody, withMounts } from './body.ts';

const CONFIG_IN_CONTAINER = '/run/secrets/docker/config.json';
const SOCKET_IN_CONTAINER = '/var/run/docker.sock';

/** A container that may talk to the daemon as who started it. */
interface WithSocket {
  readonly body: CreateBody;
  /** Puts the logins into the container once it is made. */
  readonly finish: (client: DockerClient, container: string) => Promise<void>;
}

/**
 * `--use-api-socket`: the daemon's socket in the container, and the client's logins in a config.json there, unless the line says where that
 * is by DOCKER_CONFIG. Throws for a daemon that is not on this machine.
 */
export async function withApiSocket(body: CreateBody, host: string): Promise<WithSocket> {
  if (!host.startsWith('unix://')) {
    const what = `flag --use-api-socket can only be used with unix sockets: docker endpoint ${host} incompatible`;
    throw new WharfError('invalid-argument', what);
  }
  const mount = { Type: 'bind', Source: host.slice('unix://'.length), Target: SOCKET_IN_CONTAINER, BindOptions: {} };
  const mounted = withMounts(body, [mount]);
  const env = body.Env ?? [];
  const auths = env.some((variable) => variable.startsWith('DOCKER_CONFIG=')) ? {} : await knownLogins();
  if (Object.keys(auths).length === 0) return { body: mounted, finish: async () => undefined };
  const variable = `DOCKER_CONFIG=${posix.dirname(CONFIG_IN_CONTAINER)}`;
  return {
    body: { ...mounted, Env: [...env, variable] },
    finish: async (client, container) => {
      const content = JSON.stringify({ auths }, null, '\t');
      const archive = buildTar([{ name: CONFIG_IN_CONTAINER, type: 'file', mode: 0o600, content }]);
      await client.text('PUT', containerPath(container, '/archive'), { query: { path: '/' }, body: archive });
    },
  };
}

type Stored = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What DOCKER_AUTH_CONFIG holds, else what is known of all registries that the configuration names. */
async function knownLogins(): Promise<Stored> {
  const given = process.env['DOCKER_AUTH_CONFIG'];
  if (given) {
    let auths: Stored | undefined;
    try {
      ({ auths } = JSON.parse(given) as { readonly auths?: Stored });
    } catch (cause) {
      const what = 'resolving credentials failed: failed to read credentials from DOCKER_AUTH_CONFIG: it is no JSON';
      throw new WharfError('invalid-argument', what, { cause });
    }
    if (auths !== undefined && Object.keys(auths).length > 0) return auths;
  }
  const config = new DockerConfig();
  const { auths = {}, credHelpers = {} } = config.values;
  const found: Record<string, Readonly<Record<string, string>>> = {};
  for (const registry of new Set([...Object.keys(auths), ...Object.keys(credHelpers)])) {
    const stored = storedForm(await config.login(registry));
    if (stored !== undefined) found[registry] = stored;
  }
  return found;
}

function storedForm({ username, password, identitytoken }: RegistryLogin) {
  if (username === '' && identitytoken === '') return undefined;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return identitytoken === '' ? { auth } : { auth, identitytoken };
}
