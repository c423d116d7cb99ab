import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import { isPattern } from '../../access/pattern.ts';
import { makeSecret } from '../../access/secrets.ts';
import { HOOK_ACTIONS } from '../../hooks/records.ts';
import { MAX_HOOKS } from '../../limits.ts';
import { argumentOf, invalid, listOf, notFound, type Operation, textOf } from '../operation.ts';

export const hookOperations: readonly Operation[] = [
  {
    name: 'webhooks list',
    arguments: [],
    options: {},
    help: 'Who is told of what',
    run: ({ hooks }) =>
      hooks.records.list().map(({ key, value: { url, actions, repository, createdAt } }) => ({
        ...{ id: key, url, actions, repository, created: new Date(createdAt).toISOString() },
      })),
  },
  {
    name: 'webhooks add',
    arguments: ['url'],
    options: { on: 'list', repository: 'text', secret: 'secret' },
    help: 'Tell a URL of changes: --on push,delete,pull,quota --repository "team/**"; the secret that signs is made, or given',
    run({ hooks, parts }, input) {
      const url = URL.parse(argumentOf(input, 'url'));
      if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.href.length > 2000)
        throw invalid(
          `Cannot add the webhook: "${argumentOf(input, 'url').slice(0, 200)}" is no http or https URL without a user`,
        );
      const words = listOf(input, 'on')?.flatMap((text) => text.split(',')) ?? ['push', 'delete'];
      const wrong = words.find((word) => !HOOK_ACTIONS.some((action) => action === word));
      if (wrong !== undefined) throw invalid(`Cannot tell of "${wrong}": there are ${HOOK_ACTIONS.join(', ')}`);
      const repository = textOf(input, 'repository') ?? '**';
      if (!isPattern(repository)) throw invalid(`Cannot use the pattern "${repository}"`);
      if (hooks.records.size >= MAX_HOOKS)
        throw new WharfError('resource-exhausted', 'Cannot add a webhook: there are too many');
      const id = randomBytes(6).toString('hex');
      const secret = textOf(input, 'secret') ?? makeSecret();
      const actions = HOOK_ACTIONS.filter((action) => words.includes(action));
      hooks.add(id, { url: url.href, secret, actions, repository, createdAt: parts.now() });
      return { id, url: url.href, actions, repository, secret };
    },
  },
  {
    name: 'webhooks remove',
    arguments: ['id'],
    options: {},
    help: 'Tell it no more',
    run({ hooks }, input) {
      const id = argumentOf(input, 'id');
      if (!hooks.remove(id)) throw notFound('webhook', id);
      return { removed: id };
    },
  },
  {
    name: 'webhooks deliveries',
    arguments: ['id'],
    options: {},
    help: 'The last deliveries of a webhook, and what was answered',
    run({ hooks }, input) {
      const id = argumentOf(input, 'id');
      if (hooks.records.get(id) === undefined) throw notFound('webhook', id);
      return hooks.deliveries.list(`${id}/`).map(({ key, value: { at, ...rest } }) => ({
        ...{ event: Number(key.slice(id.length + 1)), ...rest, time: new Date(at).toISOString() },
      }));
    },
  },
];
