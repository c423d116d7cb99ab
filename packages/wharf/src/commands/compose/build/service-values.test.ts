import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Project } from '@wharf/compose/model/project';
import type { Service } from '@wharf/compose/model/service';
import { bakeFile } from './bake-file.ts';
import { prefixed } from './build-services.ts';
import { contextServices, type ServiceBuildFlags, serviceBuildValues, targetOf } from './service-values.ts';

function projectOf(services: Readonly<Record<string, Service>>): Project {
  return {
    ...{ name: 'shop', workingDir: '/shop', services, disabledServices: {}, networks: {}, volumes: {}, configs: {} },
    secrets: { token: { file: '/shop/token' }, key: { environment: 'KEY_OF_TEST' } },
    ...{ models: {}, extensions: {}, composeFiles: [], environment: { FROM_ENV: 'e', KEY_OF_TEST: 'k' }, profiles: [] },
  };
}

function valuesOf(service: Service, flags: ServiceBuildFlags = {}) {
  const project = projectOf({ web: service, base: { build: { context: '/base' } } });
  const target = targetOf(project, 'web', service);
  assert.ok(target !== undefined);
  return serviceBuildValues(project, target, flags);
}

test('serviceBuildValues() maps every option of `build`', () => {
  const values = valuesOf({
    build: {
      ...{ context: '/web', dockerfile: 'x/Dockerfile', target: 'prod', network: 'host', shm_size: '1024' },
      args: { A: '1', FROM_ENV: null, GONE: null },
      ...{
        tags: ['me/web:2'],
        cache_from: ['c'],
        cache_to: ['d'],
        platforms: ['linux/amd64'],
        no_cache: true,
        pull: true,
      },
      ...{ labels: { l: 'v' }, ssh: [{ id: 'default' }, { id: 'k', path: '/k' }], extra_hosts: ['h=1.2.3.4'] },
      ...{ ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 3 }, privileged: true, entitlements: ['network.host'] },
      secrets: [{ source: 'token' }, { source: 'key', target: 'id' }],
      additional_contexts: { base: 'service:base', src: '/src' },
      ...{ provenance: 'mode=max', sbom: 'true' },
    },
  });
  assert.equal(values.file, '/web/x/Dockerfile');
  assert.deepEqual(values.tag, ['me/web:2', 'shop-web']);
  assert.deepEqual(values['build-arg'], ['A=1', 'FROM_ENV=e']);
  assert.ok(values.label.includes('l=v') && values.label.includes('com.docker.compose.service=web'));
  assert.deepEqual(values.ssh, ['default', 'k=/k']);
  assert.deepEqual(values.secret, ['id=token,type=file,src=/shop/token', 'id=id,type=env,env=KEY_OF_TEST']);
  assert.deepEqual(values['build-context'], ['base=docker-image://shop-base', 'src=/src']);
  assert.deepEqual(
    [values.ulimit, values.allow],
    [
      ['nofile=1:2', 'nproc=3'],
      ['network.host', 'security.insecure'],
    ],
  );
  assert.deepEqual(values['add-host'], ['h:1.2.3.4']);
  assert.deepEqual([values['no-cache'], values.pull, values.load, values.push], [true, true, true, false]);
  assert.deepEqual(
    [values.target, values.network, values.provenance, values.sbom],
    ['prod', 'host', 'mode=max', 'true'],
  );
  delete process.env['KEY_OF_TEST'];
});

test('serviceBuildValues() takes the line before the file, and pushes only images with a name of their own', () => {
  const build = { context: '/web', args: { A: '1' } };
  const values = valuesOf({ build, image: 'me/web' }, { args: ['A=2', 'B=3'], push: true });
  assert.deepEqual(values['build-arg'], ['A=2', 'B=3']);
  assert.deepEqual([values.push, values.load], [true, false]);
  assert.deepEqual(valuesOf({ build }, { push: true }).push, false);
  assert.equal(valuesOf({ build: { ...build, dockerfile_inline: 'FROM x' } }).file, '-');
  assert.equal(valuesOf({ build: { context: 'https://example.org/a.git', dockerfile: 'D' } }).file, 'D');
});

test('contextServices() and bakeFile() follow contexts that are other services', () => {
  const service: Service = { build: { context: '/web', additional_contexts: { below: 'service:a.b' } } };
  assert.deepEqual(contextServices(service.build ?? {}), ['a.b']);
  const project = projectOf({ 'a.b': { build: { context: '/ab' } }, web: service });
  const all = Object.entries(project.services).flatMap(([name, each]) => targetOf(project, name, each) ?? []);
  const { group, target } = bakeFile(project, { all, wanted: ['web'], flags: {} }) as {
    group: object;
    target: Record<string, { contexts?: object }>;
  };
  assert.deepEqual(group, { default: { targets: ['web'] } });
  assert.deepEqual(target['web']?.contexts, { below: 'target:a_b' });
});

test('prefixed() says whose a step is', () => {
  const vertex = (name: string) => ({ digest: 'd', inputs: [], name }) as never;
  const { vertexes = [] } = prefixed('web', { vertexes: [vertex('[1/2] FROM x'), vertex('exporting'), vertex('')] });
  assert.deepEqual(
    vertexes.map(({ digest, name }) => [digest, name]),
    [
      ['web d', '[web 1/2] FROM x'],
      ['web d', '[web] exporting'],
      ['web d', ''],
    ],
  );
});
