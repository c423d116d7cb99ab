import type { FlagTable } from '../commands/flag-table.ts';

/** The flags of `wharf build`: those of buildx, and our own. */
export const BUILD_FLAGS = {
  'add-host': { kind: 'list', value: 'NAME:ADDRESS', help: 'Add a line to /etc/hosts of the steps' },
  allow: { kind: 'list', value: 'RIGHT', help: 'Grant a right ("network.host", "security.insecure")' },
  annotation: { kind: 'list', value: 'KEY=VALUE', help: 'Add an annotation to the image' },
  attest: { kind: 'list', value: 'type=…', help: 'Attach an attestation ("type=sbom", "type=provenance,mode=max")' },
  'build-arg': { kind: 'list', value: 'NAME[=VALUE]', help: "Set an ARG; without a value, the environment's" },
  'build-context': { kind: 'list', value: 'NAME=PATH', help: 'A further context, for FROM and COPY --from' },
  'cache-from': {
    kind: 'list',
    value: 'SOURCE',
    help: 'Take the cache from there too (an image, "type=local,src=DIR")',
  },
  'cache-to': {
    kind: 'list',
    value: 'PLACE',
    help: 'Write the cache there too ("type=inline", "type=local,dest=DIR")',
  },
  call: { kind: 'text', value: 'METHOD', help: 'Instead of building: "check", "outline", "targets"' },
  'cgroup-parent': { kind: 'text', value: 'PATH', help: 'The control group above those of the steps' },
  check: { kind: 'switch', help: 'Check the Dockerfile and build nothing; short for --call=check' },
  explain: { kind: 'switch', help: 'Say of each step why it came from the cache, or why not' },
  file: {
    kind: 'text',
    short: 'f',
    value: 'FILE',
    help: 'The Dockerfile; "-" for standard input (default PATH/Dockerfile)',
  },
  iidfile: { kind: 'text', value: 'FILE', help: "Write the image's id into a file" },
  json: { kind: 'switch', help: 'Print the result as one JSON document' },
  label: { kind: 'list', value: 'KEY=VALUE', help: 'Set a label of the image' },
  load: { kind: 'switch', help: "Put the image among the daemon's; short for --output=type=docker" },
  'metadata-file': { kind: 'text', value: 'FILE', help: 'Write what came of the build into a file, as JSON' },
  network: {
    kind: 'text',
    value: 'NAME',
    help: 'The network of RUN steps: "default", "none", "host", or one of the engine\'s',
  },
  'no-cache': { kind: 'switch', help: 'Run every step' },
  'no-cache-filter': { kind: 'list', value: 'STAGE', help: 'Run every step of these stages' },
  'on-error': { kind: 'text', value: 'shell', help: 'When a step fails, open a shell where it failed' },
  output: {
    kind: 'list',
    short: 'o',
    value: 'PLACE',
    help: 'Where the result goes ("type=local,dest=DIR", "type=oci,dest=FILE", "-")',
  },
  platform: { kind: 'list', value: 'OS/ARCH', help: 'Build for this platform' },
  progress: {
    kind: 'text',
    value: 'VIEW',
    help: '"auto", "tty", "plain", "quiet", "none" or "rawjson" (default "auto")',
  },
  provenance: { kind: 'text', value: 'mode=…', help: 'Short for --attest=type=provenance' },
  pull: { kind: 'switch', help: 'Look for newer versions of all images used' },
  push: { kind: 'switch', help: 'Push the image when it is built' },
  quiet: { kind: 'switch', short: 'q', help: "Print nothing but the image's id" },
  sbom: { kind: 'text', value: 'BOOL', help: 'Short for --attest=type=sbom' },
  secret: { kind: 'list', value: 'id=…,src=…', help: 'Lend a secret to RUN steps: a file, or "id=…,env=…"' },
  'shm-size': { kind: 'text', value: 'BYTES', help: 'The size of /dev/shm in the steps' },
  ssh: { kind: 'list', value: 'default|ID[=SOCKET|KEY]', help: 'Lend an ssh agent, or keys, to RUN steps' },
  tag: { kind: 'list', short: 't', value: 'NAME', help: 'A name for the image ("name:tag")' },
  target: { kind: 'text', value: 'STAGE', help: 'The stage to build' },
  ulimit: { kind: 'list', value: 'NAME=SOFT[:HARD]', help: 'A limit of the steps' },

  // Taken so that scripts for docker keep running; they mean nothing here.
  builder: { kind: 'text', hidden: true, help: '' },
  compress: { kind: 'switch', hidden: true, help: '' },
  'force-rm': { kind: 'switch', hidden: true, help: '' },
  rm: { kind: 'switch', hidden: true, help: '' },
  memory: { kind: 'text', short: 'm', hidden: true, help: '' },
  'memory-swap': { kind: 'text', hidden: true, help: '' },
  'cpu-shares': { kind: 'text', short: 'c', hidden: true, help: '' },
  'cpu-period': { kind: 'text', hidden: true, help: '' },
  'cpu-quota': { kind: 'text', hidden: true, help: '' },
  'cpuset-cpus': { kind: 'text', hidden: true, help: '' },
  'cpuset-mems': { kind: 'text', hidden: true, help: '' },
  isolation: { kind: 'text', hidden: true, help: '' },
  'security-opt': { kind: 'list', hidden: true, help: '' },
  squash: { kind: 'switch', hidden: true, help: '' },
} as const satisfies FlagTable;

/** The help of `wharf build`. */
export const BUILD_EXAMPLES = `Examples:
  wharf build -t web .                          # from ./Dockerfile
  wharf build -t web -f docker/web.Dockerfile . # another Dockerfile
  wharf build --target test --progress plain .  # one stage, every line of output
  wharf build -o out .                          # files of the last stage into ./out, no image
  wharf build --secret id=npm,src=$HOME/.npmrc .
  wharf build --on-error shell .                # a shell where a step failed
  wharf build --explain .                       # why each step ran again
  wharf build --check .                         # look for faults, build nothing
  git archive HEAD | wharf build -t web -       # a context from standard input
  wharf build https://example.org/project.git#v2:server`;
