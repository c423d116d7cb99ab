import { formatFamiliar, parseReference, type Reference, withDefaultTag } from '@wharf/kit/reference';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import type { Output } from '../../cli/output.ts';
import { consoleSize } from '../streams/terminal-size.ts';
import { canonicalIp } from '../values/addresses.ts';
import type { CreateBody } from './body.ts';
import { CidFile } from './cid-file.ts';

export interface Creation {
  readonly client: DockerClient;
  readonly body: CreateBody;
  readonly name: string | undefined;
  readonly platform: string | undefined;
  /** `always`, `missing`, `never`. */
  readonly pull: string;
  readonly quiet: boolean;
  readonly out: Output;
  readonly err: Output;
  readonly signal: AbortSignal;
  /** Fetches an image, and shows how far it is. */
  readonly fetch: (image: string) => Promise<void>;
}

interface Created {
  readonly Id: string;
  readonly Warnings?: readonly string[] | null;
}

/** Makes a container, after the image was pulled where that is needed; returns its id. */
export async function createContainer(creation: Creation): Promise<string> {
  const { body, client, name, platform, pull, quiet, out, err, signal, fetch } = creation;
  using file = new CidFile(body.HostConfig.ContainerIDFile);
  const image = imageName(body.Image);
  if (pull === 'always') await fetch(body.Image);
  const query = { name: name || undefined, platform };
  const whole = { ...body, HostConfig: { ...body.HostConfig, ConsoleSize: consoleSize(out) } };
  const ask = () => client.json<Created>('POST', '/containers/create', { query, body: whole, signal });
  let created: Created;
  try {
    created = await ask();
  } catch (error) {
    if (!isStatus(error, 404) || image === undefined || pull !== 'missing') throw error;
    if (!quiet) err.line(`Unable to find image '${formatFamiliar(image)}' locally`);
    await fetch(body.Image);
    created = await ask();
  }
  for (const warning of [...(created.Warnings ?? []), ...loopbackWarnings(body)]) err.line(`WARNING: ${warning}`);
  file.write(created.Id);
  return created.Id;
}

/** The image's name with its tag; `undefined` for an id. Throws in docker's words. */
function imageName(text: string): Reference | undefined {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return undefined;
  return withDefaultTag(parseReference(text));
}

function loopbackWarnings({ HostConfig }: CreateBody): readonly string[] {
  const server = HostConfig.Dns.find((address) => {
    const ip = canonicalIp(address) ?? '';
    return ip === '::1' || ip.startsWith('127.');
  });
  return server === undefined ? [] : [`Localhost DNS (${server}) may fail in containers.`];
}
