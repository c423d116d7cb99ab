import { nullLogger } from '@wharf/kit/log';
import { parseReference, type Reference, withDefaultTag } from '@wharf/kit/reference';
import { credentialsOfAuth } from '@wharf/oci/remote/credentials';
import { proxyFor, proxyOfEnvironment } from '@wharf/oci/remote/proxy';
import { RemoteRepository } from '@wharf/oci/remote/repository';
import { SchemeMemory } from '@wharf/oci/remote/scheme-memory';
import { WebClient } from '@wharf/wire/http/web-client';
import { DockerConfig } from '../../../client-config/docker-config.ts';

import { REGISTRY_DIRECTORIES } from '../../../config/registry-directories.ts';

/** A repository of a registry, as this client's user sees it. */
export interface OpenRepository extends Disposable {
  readonly repository: RemoteRepository;
  readonly reference: Reference;
}

/** Opens the repository of a name with the login of the client's configuration. Without a tag it is `latest`. */
export async function openRepository(name: string): Promise<OpenRepository> {
  const reference = withDefaultTag(parseReference(name));
  const proxies = proxyOfEnvironment(process.env);
  const client = new WebClient({ userAgent: 'wharf-compose', proxyFor: (url) => proxyFor(url, proxies) });
  const repository = await RemoteRepository.open({
    ...{ client, reference, schemes: new SchemeMemory(), log: nullLogger },
    settings: { mirrors: [], insecure: [], directories: REGISTRY_DIRECTORIES },
    credentials: credentialsOfAuth(await new DockerConfig().login(reference.domain)),
  });
  return { repository, reference, [Symbol.dispose]: () => client.close() };
}
