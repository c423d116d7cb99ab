import type { Project } from '@wharf/compose/model/project';
import { messageOf, WharfError } from '@wharf/kit/errors';
import { familiarName, parseReference } from '@wharf/kit/reference';
import { DockerConfig } from '../../client-config/docker-config.ts';
import type { ComposeSession } from './session.ts';

interface Distribution {
  readonly Descriptor: { readonly digest: string };
}

/** The project with images named by their digest, as the registries have them now. */
export async function withDigests(session: ComposeSession, project: Project): Promise<Project> {
  const client = await session.client();
  const config = new DockerConfig();
  const services = await Promise.all(
    Object.entries(project.services).map(async ([name, service]) => {
      if (service.image === undefined) return [name, service] as const;
      const reference = parseReference(service.image);
      if (reference.digest !== undefined) return [name, service] as const;
      const full = `${familiarName(reference)}:${reference.tag ?? 'latest'}`;
      const login = await config.login(reference.domain);
      const headers = { 'X-Registry-Auth': Buffer.from(JSON.stringify(login)).toString('base64url') };
      try {
        const path = `/distribution/${encodeURI(full)}/json`;
        const { Descriptor } = await client.json<Distribution>('GET', path, { headers, signal: session.signal });
        return [name, { ...service, image: `${service.image}@${Descriptor.digest}` }] as const;
      } catch (error) {
        if (session.signal.aborted) throw error;
        throw new WharfError('unavailable', `failed to resolve digest for ${full}: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }),
  );
  return { ...project, services: Object.fromEntries(services) };
}
