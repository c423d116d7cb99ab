import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../scripts/lib/run.ts';
import { type Case, timed } from '../lib/case.ts';
import type { Contestant } from '../lib/contestant.ts';
import { BenchRegistry, MANIFEST } from '../lib/registry.ts';
import { startWithTokens } from '../lib/registry-tokens.ts';

const opened = new Map<Contestant['name'], BenchRegistry>();

async function open({ name }: Contestant): Promise<BenchRegistry> {
  const registry = await BenchRegistry.open(name);
  opened.set(name, registry);
  return registry;
}

function of({ name }: Contestant): BenchRegistry {
  const registry = opened.get(name);
  if (registry === undefined) throw new Error('the registry has not been started');
  return registry;
}

async function close({ name }: Contestant): Promise<void> {
  await opened.get(name)?.[Symbol.asyncDispose]();
  opened.delete(name);
}

/** How soon a registry answers after its start, beside docker-registry 2.8. */
export const registryStart: Case = {
  name: 'registry-start',
  metrics: [{ name: 'start', title: 'registry: start to first answer', unit: 'ms', maxValue: 100 }],
  rounds: ({ quick }) => (quick ? 3 : 9),
  async prepare(contestant) {
    // Once before, so that the disk has it, and our compile cache too.
    await (await open(contestant)).start();
    await of(contestant).stop();
  },
  async round(contestant) {
    const start = await of(contestant).start();
    await of(contestant).stop();
    return { start };
  },
  cleanUp: close,
};

const tokens = new Map<Contestant['name'], string>();
/** The blobs of the image that is pulled. */
const images = new Map<Contestant['name'], readonly string[]>();

/** A manifest by its tag, as often as possible, each request with its token. */
export const registryManifests: Case = {
  name: 'registry-manifests',
  metrics: [
    {
      name: 'manifests',
      title: 'registry: 10,000 manifests by tag with a token, 64 at once',
      unit: 'ms',
      maxRatio: 1 / 8,
    },
    { name: 'p99', title: 'registry: a manifest by tag with a token, p99 of 64 at once', unit: 'ms', maxRatio: 1 / 4 },
    { name: 'pulls', title: 'registry: 1,000 pulls of ten layers of 64 KiB with a token', unit: 'ms', maxRatio: 1 },
  ],
  rounds: ({ quick }) => (quick ? 2 : 5),
  async prepare(contestant) {
    await (await open(contestant)).start();
    const { blobs } = await of(contestant).pushImage('bench/app', 'v1', 10, 64 * 1024);
    images.set(contestant.name, blobs);
    await of(contestant).stop();
    tokens.set(contestant.name, await startWithTokens(of(contestant), contestant.name, 'bench/app'));
  },
  async round(contestant, { quick }) {
    const { url, directory } = of(contestant);
    const headers = ['-H', `Accept: ${MANIFEST}`, '-H', `Authorization: Bearer ${tokens.get(contestant.name)}`];
    const load = ['wrk', '-t2', '-c64', `-d${quick ? 2 : 5}s`, '--latency', ...headers] as const;
    const manifests = readLoad(await must([...load, `${url}/v2/bench/app/manifests/v1`]));
    // A pull asks for the manifest and then for what it names; wrk has a script say which comes next.
    const blobs = images.get(contestant.name) ?? [];
    const paths = ['manifests/v1', ...blobs.map((digest) => `blobs/${digest}`)];
    const script = join(directory, 'pull.lua');
    const list = paths.map((path) => `"/v2/bench/app/${path}"`).join(',');
    const body = 'at = at % #paths + 1; return wrk.format("GET", paths[at])';
    writeFileSync(script, `local paths = {${list}}; local at = 0; request = function() ${body} end\n`);
    const pulls = readLoad(await must([...load, '-s', script, url]));
    return {
      manifests: 10_000_000 / manifests.perSecond,
      p99: manifests.p99Ms,
      pulls: (1_000_000 * paths.length) / pulls.perSecond,
    };
  },
  cleanUp: close,
};

/** What wrk printed. Throws when not all requests were answered. */
function readLoad(stdout: string): { readonly perSecond: number; readonly p99Ms: number } {
  if (/Non-2xx/.test(stdout)) throw new Error(`not all requests were answered:\n${stdout}`);
  const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const scale = unit === 'us' ? 1e-3 : unit === 's' ? 1e3 : 1;
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]), p99Ms: Number(value) * scale };
}

const PAGE = 1000;

/** All tags of a repository with very many, page by page. */
export const registryTags: Case = {
  name: 'registry-tags',
  metrics: [{ name: 'tags', title: 'registry: 100,000 tags listed by pages of 1,000', unit: 'ms', maxRatio: 1 }],
  rounds: ({ quick }) => (quick ? 1 : 2),
  async prepare(contestant, scale) {
    const registry = await open(contestant);
    await registry.start();
    const { json, digest } = await registry.pushImage('bench/many', 'first', 1);
    const names = tagNames(scale.quick);
    if (contestant.name === 'docker') {
      // It keeps a folder for each tag, and is as well served by making those.
      const tags = join(registry.directory, 'root/docker/registry/v2/repositories/bench/many/_manifests/tags');
      for (const name of names) {
        mkdirSync(join(tags, name, 'current'), { recursive: true });
        writeFileSync(join(tags, name, 'current/link'), digest);
      }
      return;
    }
    for (let at = 0; at < names.length; at += 100) {
      const query = names.slice(at, at + 100).map((name) => `tag=${name}`);
      await registry.putManifest('bench/many', `${digest}?${query.join('&')}`, json);
    }
  },
  async round(contestant, { quick }) {
    const registry = of(contestant);
    let found = 0;
    const tags = await timed(async () => {
      for (let next: string | undefined = `/v2/bench/many/tags/list?n=${PAGE}`; next !== undefined; ) {
        const answer: Response = await fetch(new URL(next, registry.url));
        found += ((await answer.json()) as { tags: string[] }).tags.length;
        next = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
        // 2.8 has no pages of tags: it sends all at once.
      }
    });
    if (found !== tagNames(quick).length + 1) throw new Error(`${found} tags were listed`);
    return { tags };
  },
  cleanUp: close,
};

function tagNames(quick: boolean): readonly string[] {
  return Array.from({ length: quick ? 10_000 : 100_000 }, (_, number) => `t${String(number).padStart(6, '0')}`);
}
