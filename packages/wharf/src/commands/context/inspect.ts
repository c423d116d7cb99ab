import { anyArguments, defineCommand } from '../../cli/command.ts';
import { goJson } from '../../contexts/context-store.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';
import { currentName, storeOf } from './store-of.ts';

/** `wharf context inspect`. */
export const inspect = defineCommand({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  flags: { format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP } },
  args: anyArguments,
  json: true,
  complete: ['context'],
  examples: ['wharf context inspect', "wharf context inspect -f '{{.Endpoints.docker.Host}}' far"],
  run: (context) => {
    const store = storeOf(context);
    const names = context.args.length > 0 ? context.args : [currentName(context)];
    const find = (name: string) => {
      const meta = store.get(name);
      const tls = [...store.tls(name)].map(([endpoint, files]) => [endpoint, [...files.keys()]] as const);
      const paths = store.paths(name);
      const document = {
        ...meta,
        TLSMaterial: Object.fromEntries(tls),
        Storage: { MetadataPath: paths.meta, TLSPath: paths.tls },
      };
      return Promise.resolve({ raw: goJson(document) });
    };
    return inspectAll(context, async (name) => find(name), names);
  },
});
