import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestDaemon } from '../e2e/lib/daemon.ts';
import { slimRoot } from '../e2e/lib/debian-root.ts';
import { clientEnvironment } from '../e2e/lib/docker.ts';
import { loadBusybox } from '../e2e/lib/images.ts';
import { ROOT } from './lib/root.ts';
import { must, run } from './lib/run.ts';
import { screenOf } from './lib/screen.ts';

const COLUMNS = 100;

/** Command lines of one recording, and where it belongs; all recordings share the daemon and the folder of their example. */
interface Recording {
  readonly document: string;
  readonly name: string;
  /** The example that the commands run in; none for an empty folder. */
  readonly example?: string;
  /** Lines as a person types them; one that begins with `#` is run without being shown. */
  readonly lines: readonly string[];
}

const FLOWS = 'docs/guides/compose-recordings.md';
const SECRETS =
  '# mkdir -p secrets && for name in db_password admin_password; do head -c 18 /dev/urandom | base64 >secrets/$name; done';

const RECORDINGS: readonly Recording[] = [
  {
    ...{ document: FLOWS, name: 'run' },
    lines: [
      'wharf run -d --name web -p 8090:80 busybox httpd -f -p 80 -h /etc',
      'wharf ps',
      'wharf exec web hostname',
      'wharf logs web',
      'wharf rm -f web',
    ],
  },
  {
    ...{ document: FLOWS, name: 'up', example: 'web' },
    lines: [
      '# wharf compose build -q',
      'wharf compose up -d --wait',
      'curl localhost:8080',
      'curl localhost:8080',
      'wharf compose ps',
    ],
  },
  {
    ...{ document: FLOWS, name: 'change', example: 'web' },
    lines: [
      'GREETING=moin wharf compose plan',
      'GREETING=moin wharf compose up -d --wait',
      'curl localhost:8080',
      'GREETING=moin wharf compose up -d',
    ],
  },
  {
    ...{ document: FLOWS, name: 'look', example: 'web' },
    lines: [
      'wharf compose top redis',
      'wharf compose logs --tail 2',
      'wharf compose images',
      'wharf compose stats --no-stream',
    ],
  },
  {
    ...{ document: FLOWS, name: 'mistakes' },
    lines: [
      "# printf 'services:\\n  web:\\n    imag: nginx\\n' >compose.yaml",
      'cat compose.yaml',
      'wharf compose up',
      "# printf 'services:\\n  web:\\n    image: nginx\\n    ports: [eighty]\\n' >compose.yaml",
      'cat compose.yaml',
      'wharf compose up',
    ],
  },
  {
    ...{ document: FLOWS, name: 'down', example: 'web' },
    lines: ['wharf compose down', 'wharf system df', 'wharf compose down -v'],
  },
  {
    ...{ document: 'examples/web/README.md', name: 'web', example: 'web' },
    lines: ['wharf compose up -d --wait', 'curl localhost:8080', 'wharf compose ps', '# wharf compose down -v'],
  },
  {
    ...{ document: 'examples/wordpress/README.md', name: 'wordpress', example: 'wordpress' },
    lines: [
      SECRETS,
      '# wharf compose build -q',
      'wharf compose up -d --wait',
      'curl -s localhost:8080 | grep -o "<title>.*</title>"',
      'SITE_NOTE="A note on each page" wharf compose up -d --wait',
      'wharf compose ps',
      '# wharf compose down -v',
    ],
  },
  {
    ...{ document: 'examples/postgres/README.md', name: 'postgres', example: 'postgres' },
    lines: [
      SECRETS,
      '# wharf compose build -q',
      'wharf compose up -d --wait',
      'curl -d "text=milk and bread" localhost:8080',
      'wharf compose restart backup',
      '# wharf compose up -d --wait',
      'wharf compose logs --no-log-prefix backup',
      'wharf compose exec db psql -c "drop table notes" notes',
      'wharf compose run --rm restore',
      'curl -s localhost:8080 | grep "<li>"',
      '# wharf compose down -v',
    ],
  },
  {
    ...{ document: 'examples/monitoring/README.md', name: 'monitoring', example: 'monitoring' },
    lines: [
      '# wharf compose build -q',
      'wharf compose up -d --wait',
      '# until curl -s localhost:9090/api/v1/query?query=up | grep -q "machine.*,\\"1\\""; do sleep 1; done',
      "curl -s 'localhost:9090/api/v1/query?query=node_load1'",
      'wharf compose ps',
      '# wharf compose down -v',
    ],
  },
];

/** Runs the commands of a recording on a terminal and answers what a person has seen. */
async function record(
  recording: Recording,
  place: { readonly folder: string; readonly env: Environment },
): Promise<string> {
  const cwd = join(place.folder, recording.example ?? 'empty');
  if (recording.example !== undefined) cpSync(join(ROOT, 'examples', recording.example), cwd, { recursive: true });
  const seen: string[] = [];
  for (const line of recording.lines) {
    const hidden = line.startsWith('#');
    const command = `stty cols ${COLUMNS} rows 60; ${hidden ? line.slice(1) : line}`;
    const onTerminal = 'exec script -qefc "$1" /dev/null <>"$2"';
    const result = await run(['sh', '-c', onTerminal, 'sh', command, join(place.folder, 'keyboard')], {
      ...{ cwd, env: place.env, timeoutMs: 600_000 },
    });
    if (hidden && result.code !== 0) throw new Error(`${line}\n${screenOf(result.output)}`);
    if (!hidden) seen.push(`$ ${line}`, screenOf(result.output));
  }
  return seen.filter((text) => text !== '').join('\n');
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Puts a recording between its marks. Throws when the document has none for it. */
function putInto({ document, name }: Recording, text: string): void {
  const path = join(ROOT, document);
  const marked = new RegExp(`(<!-- recording: ${name} -->\n).*?(\n<!-- /recording -->)`, 's');
  const before = readFileSync(path, 'utf8');
  if (!marked.test(before)) throw new Error(`${document} has no place for the recording "${name}"`);
  const block = `\n\`\`\`console\n${text}\n\`\`\`\n`;
  writeFileSync(
    path,
    before.replace(marked, (_, open: string, close: string) => `${open}${block}${close}`),
  );
}

/** Records what the guides and examples show, by doing it: `node scripts/record.ts [NAME…]`. */
async function main(names: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-record-'));
  try {
    await using daemon = await TestDaemon.start();
    await loadBusybox(daemon.host, { reference: 'busybox:latest' });
    const debian = ['import', '-c', 'CMD ["bash"]', await slimRoot(), 'debian:bookworm-slim'];
    await daemon.docker(debian, { timeoutMs: 120_000 });
    mkdirSync(join(folder, 'empty'));
    mkdirSync(join(folder, 'bin'));
    // Nobody types, and it never ends.
    await must(['mkfifo', join(folder, 'keyboard')]);
    symlinkSync(join(ROOT, 'bin/wharf'), join(folder, 'bin/wharf'));
    const path = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    const env = { ...clientEnvironment(daemon.host), PATH: path, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' };
    for (const recording of RECORDINGS.filter(({ name }) => names.length === 0 || names.includes(name))) {
      console.error(recording.name);
      putInto(recording, await record(recording, { folder, env }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));
