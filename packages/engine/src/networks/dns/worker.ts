/** The thread that answers DNS: ten thousand questions a second would keep the daemon's own from its clients. */
import { parentPort } from 'node:worker_threads';
import { endWhenTold } from '@wharf/linux/thread';
import { DnsDesk } from './desk.ts';
import type { DnsOrder } from './orders.ts';

const desk = new DnsDesk();
endWhenTold();
parentPort?.on('message', (orders: readonly DnsOrder[]) => {
  for (const order of orders) desk.obey(order);
});
