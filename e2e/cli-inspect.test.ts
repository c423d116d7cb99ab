import { test } from 'node:test';
import { bothClients } from './lib/both-clients.ts';
import { prepareScene } from './lib/list-scene.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile({ prepare: (started) => prepareScene(started, clients.folder) });
const clients = bothClients(() => daemon().host);

test("inspect: the same bytes and exit codes as docker's, whatever the template", () => clients.compare('inspect'));
