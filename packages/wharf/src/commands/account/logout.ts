import { messageOf } from '@wharf/kit/errors';
import { atMost, defineCommand } from '../../cli/command.ts';
import { DOCKER_HUB_KEY, DockerConfig, hostOf } from '../../client-config/docker-config.ts';

/** `wharf logout`: forgets an account. */
export const logout = defineCommand({
  usage: '[SERVER]',
  description: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  flags: {},
  args: atMost(1),
  complete: ['none'],
  examples: ['wharf logout registry.example.org'],
  run: async ({ args, out, err }) => {
    const [server = ''] = args;
    const host = server === '' ? DOCKER_HUB_KEY : hostOf(server);
    const names = server === '' ? [host] : [server, host, `http://${host}`, `https://${host}`];
    out.line(`Removing login credentials for ${host}`);
    const config = new DockerConfig();
    const problems = new Map<string, string>();
    for (const name of names) {
      await config.erase(name).catch((error: unknown) => problems.set(name, messageOf(error)));
    }
    if (problems.size === names.length) {
      const lines = [...problems].map(([name, why]) => `${name}: ${why}`);
      err.line(['WARNING: could not erase credentials:', ...lines].join('\n'));
    }
  },
});
