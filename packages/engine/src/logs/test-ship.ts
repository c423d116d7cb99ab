import type { ContainerId } from '@wharf/kit';
import { makeRecord, openLog } from './test-support.ts';

/** Run as a process of its own by tests that kill it: ships the log of a container until then. */
const [root = '', id = '', options = '{}'] = process.argv.slice(2);
const log = openLog(root, makeRecord({ Type: 'json-file', Config: JSON.parse(options) }, {}, id as ContainerId));
await log.prepare();
log.notify(1);
process.stdout.write('ready\n');
setInterval(() => log.notify(1), 1);
