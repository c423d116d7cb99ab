import { BUSYBOX, loadBusybox } from './images.ts';
import { eventually } from './suite.ts';

const OTHER = 'lists/other:1';

interface Daemon {
  readonly host: string;
  ok(...words: readonly string[]): Promise<string>;
}

/** Containers, images, networks and volumes of every kind that lists and looks can meet, none of which changes while one looks. */
export async function prepareScene(started: Daemon, folder: string): Promise<void> {
  const { host } = started;
  const ok = (...words: readonly string[]) => started.ok(...words);
  // The first loses its name to the second.
  await loadBusybox(host, { reference: OTHER, config: { Env: ['N=1'] } });
  await loadBusybox(host, { reference: OTHER, config: { Env: ['N=2'] } });
  await ok('network', 'create', '--label', 'a=b', '--subnet', '10.242.0.0/24', 'front');
  await ok('network', 'create', '--internal', 'quiet');
  await ok('volume', 'create', '--label', 'env=test', 'marked');
  await ok('volume', 'create', '--label', 'keep', 'data');
  const web = ['--label', 'com.example.a=1', '--label', 'b=x y<&>', '--expose', '8000-8002', '--network', 'front'];
  const ports = ['-p', '127.0.0.1:28443:80', '-p', '127.0.0.1:28444:81/udp', '-p', '127.0.0.1:28445-28446:90-91'];
  const mounts = ['-v', 'data:/data', '-v', `${folder}:/host/very/long`];
  await ok(
    'run',
    '-d',
    '--name',
    'web',
    ...web,
    ...ports,
    ...mounts,
    BUSYBOX,
    'sh',
    '-c',
    'sleep 1000 # a long command',
  );
  const health = ['--health-interval', '100ms', '--health-retries', '1'];
  await ok('run', '-d', '--name', 'sick', '--health-cmd', 'false', ...health, BUSYBOX, 'sleep', '1000');
  const limits = ['--memory', '64m', '--restart', 'always', '-e', 'A=B', '-e', 'C='];
  await ok('run', '-d', '--name', 'well', '--health-cmd', 'true', ...health, ...limits, BUSYBOX, 'sleep', '1000');
  await ok('create', '--name', 'made', OTHER, 'true');
  await ok('run', '-d', '--name', 'gone', BUSYBOX, 'sh', '-c', 'touch /new; exit 3');
  await ok('wait', 'gone');
  await eventually('health is known', async () => {
    const states = await ok('ps', '--format', '{{.Status}}', '--filter', 'health=starting');
    return states === '';
  });
  // What has no end yet would be another with each look.
  await ok('update', '--restart', 'always', 'well');
  await ok('pause', 'sick', 'well');
}
