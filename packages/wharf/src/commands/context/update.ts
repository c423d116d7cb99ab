import { defineCommand, exactly } from '../../cli/command.ts';
import { checkContextName } from '../../contexts/context-store.ts';
import { DOCKER_FLAG, ENDPOINT_KEYS_HELP, endpointOf } from '../../contexts/endpoint-flag.ts';
import { storeOf } from './store-of.ts';

/** `wharf context update`. */
export const update = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  description: `Update a context\n\n${ENDPOINT_KEYS_HELP}`,
  flags: {
    description: { kind: 'string', default: '', help: 'Description of the context' },
    docker: DOCKER_FLAG,
  },
  args: exactly(1),
  complete: ['context'],
  examples: ['wharf context update far --docker host=ssh://me@far.example.org:2222'],
  run: async (context) => {
    const { flags, out, err } = context;
    const [name = ''] = context.args;
    checkContextName(name);
    const store = storeOf(context);
    const old = store.get(name);
    const more = flags.description === '' ? {} : { Description: flags.description };
    const endpoint = context.given('docker') ? endpointOf(flags.docker, store) : undefined;
    const Endpoints = endpoint === undefined ? old.Endpoints : { ...old.Endpoints, docker: endpoint.meta };
    store.put({ Name: name, Metadata: { ...old.Metadata, ...more }, Endpoints });
    if (endpoint !== undefined) store.putTls(name, endpoint.tls, 'docker');
    out.line(name);
    err.line(`Successfully updated context "${name}"`);
  },
});
