import { WharfError } from '@wharf/kit/errors';
import { defineCommand, exactly } from '../../cli/command.ts';
import { descriptionOf } from '../../contexts/context-store.ts';
import { DOCKER_FLAG, ENDPOINT_KEYS_HELP, endpointOf } from '../../contexts/endpoint-flag.ts';
import { checkNew, currentName, storeOf } from './store-of.ts';

/** `wharf context create`. */
export const create = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  description: `Create a context\n\n${ENDPOINT_KEYS_HELP}`,
  flags: {
    description: { kind: 'string', default: '', help: 'Description of the context' },
    docker: DOCKER_FLAG,
    from: { kind: 'string', default: '', help: 'create context from a named context', complete: 'context' },
  },
  args: exactly(1),
  complete: ['none'],
  examples: [
    'wharf context create far --docker host=ssh://me@far.example.org',
    'wharf context create safe --docker host=tcp://h:2376,ca=ca.pem,cert=cert.pem,key=key.pem',
  ],
  run: async (context) => {
    const { flags, out, err } = context;
    const [name = ''] = context.args;
    const store = storeOf(context);
    checkNew(store, name);
    const isNew = context.given('docker') && flags.from === '';
    if (flags.from !== '' && flags.docker.length > 0) {
      throw new WharfError('invalid-argument', 'cannot use --docker flag when --from is set');
    }
    if (isNew) {
      const { meta, tls } = endpointOf(flags.docker, store);
      const Metadata = flags.description === '' ? {} : { Description: flags.description };
      store.put({ Name: name, Metadata, Endpoints: { docker: meta } });
      store.putTls(name, tls);
    } else {
      const from = flags.from || currentName(context);
      const old = store.get(from);
      const Description = flags.description || descriptionOf(old);
      store.put({
        Name: name,
        Metadata: { ...old.Metadata, ...(Description === '' ? {} : { Description }) },
        Endpoints: old.Endpoints,
      });
      store.putTls(name, store.tls(from));
    }
    out.line(name);
    err.line(`Successfully created context "${name}"`);
  },
});
