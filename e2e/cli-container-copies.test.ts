import { join } from 'node:path';
import { test } from 'node:test';
import { bothClients } from './lib/both-clients.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();
const clients = bothClients(
  () => daemon().host,
  () => ({ PLACE: join(clients.folder, 'place') }),
);

test('copies into and out of containers are those of docker', async () => {
  await clients.compareInTurn('container-copies');
});
