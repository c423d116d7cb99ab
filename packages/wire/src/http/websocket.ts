import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Exchange } from './exchange.ts';

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16 * 1024 * 1024 });

/**
 * Accepts a WebSocket (RFC 6455) on the connection and returns it as a byte stream, one binary message per write.
 * Throws `invalid-argument` when the request asks for none, before anything is answered. `claim` is called once the
 * connection is no longer HTTP's.
 */
export function acceptWebSocket(exchange: Exchange, claim: () => void): Promise<Duplex> {
  const { head } = exchange;
  const key = head.headers['sec-websocket-key'];
  const version = head.headers['sec-websocket-version'];
  if (head.upgrade !== 'websocket' || key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key) || version !== '13') {
    throw new WharfError('invalid-argument', 'Bad Request: this endpoint needs a WebSocket handshake of version 13');
  }
  claim();
  const socket = exchange.detach();
  // `ws` looks at these three fields only.
  const request = { method: head.method, url: head.target, headers: head.headers } as IncomingMessage;
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new WharfError('aborted', 'Cannot open the WebSocket: the client has gone')));
    server.handleUpgrade(request, socket, Buffer.alloc(0), (webSocket) => {
      resolve(createWebSocketStream(webSocket, { allowHalfOpen: true }));
    });
  });
}
