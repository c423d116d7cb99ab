import { test } from 'node:test';
import { bothClients } from './lib/both-clients.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile({
  async prepare(started) {
    await started.ok('volume', 'create', '--label', 'keep', 'data');
    await started.ok('run', '-d', '--name', 'web', '-v', 'data:/data', BUSYBOX, 'sleep', '1000');
  },
});
const clients = bothClients(() => daemon().host);

test('networks and volumes are made, changed and removed with the same bytes and exit codes as by docker', () =>
  clients.compareInTurn('changes'));
