import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlatform } from '@wharf/oci/spec/platform';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { type BuildPlan, planBuild } from './plan.ts';
import { shareVertices } from './share-vertices.ts';
import type { BaseImage } from './vertex.ts';

const DOCKERFILE = `FROM --platform=$BUILDPLATFORM base AS same
RUN --mount=target=/c make
FROM --platform=$BUILDPLATFORM base AS own
ARG TARGETARCH
RUN make $TARGETARCH
FROM base
COPY --from=same /x /x
COPY --from=own /y /y
`;

function plan(platform: string): Promise<BuildPlan> {
  return planBuild(parseDockerfile(DOCKERFILE), {
    buildArgs: new Map(),
    buildPlatform: parsePlatform('linux/amd64'),
    targetPlatform: parsePlatform(platform),
    labels: {},
    noCache: false,
    resolveImage: async (reference, wanted): Promise<BaseImage> => ({
      ...{ reference, platform: wanted, chainId: `sha256:${wanted.architecture}` as BaseImage['chainId'] },
      config: { ...wanted, rootfs: { type: 'layers', diff_ids: [] } },
      diffIds: [`sha256:${wanted.architecture}` as BaseImage['diffIds'][number]],
      layers: [],
    }),
  });
}

const treeOf = (found: BuildPlan | undefined, name: string) =>
  found?.stages.find(({ stage }) => stage.name === name)?.tree;

test('shareVertices() makes one of equal vertices, and leaves those that differ', async () => {
  const plans = [await plan('linux/amd64'), await plan('linux/arm64')];
  assert.notEqual(treeOf(plans[0], 'same'), treeOf(plans[1], 'same'));
  const [one, two] = shareVertices(plans);
  assert.equal(treeOf(one, 'same'), treeOf(two, 'same'));
  assert.notEqual(treeOf(one, 'own'), treeOf(two, 'own'));
  assert.notEqual(one?.target.tree, two?.target.tree);
  // The copy stands on what is shared.
  const [first] = two?.target.steps ?? [];
  const copied = first?.result?.kind === 'file' ? first.result.actions[0] : undefined;
  assert.equal(copied?.kind === 'copy' ? copied.source : undefined, treeOf(one, 'same'));
  assert.deepEqual(one?.target.tree, plans[0]?.target.tree);
  assert.deepEqual(two?.target.tree, plans[1]?.target.tree);
});

test('shareVertices() returns a single plan as it is', async () => {
  const plans = [await plan('linux/amd64')];
  assert.equal(shareVertices(plans), plans);
});
