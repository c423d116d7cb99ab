/**
 * A client that asks the resolver at 127.0.0.11 for names, to be run in a container's network namespace:
 * `dns-client.ts QUERIES RATE NAME…`. With rate 0 it keeps a window of questions open and goes as fast as answers come; else it
 * asks so many a second whatever comes back. Nothing is asked twice. Prints `{"ms", "lost", "p50", "p99"}` as JSON.
 */
import { createSocket } from 'node:dgram';

const WINDOW = 32;
/** An answer that takes longer is lost: nobody's resolver waits for so long. */
const PATIENCE_MS = 2000;

const [queries = 0, rate = 0] = process.argv.slice(2, 4).map(Number);
const names = process.argv.slice(4);

function queryFor(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  return Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.of(0, 0, 1, 0, 1)]);
}

const questions = names.map(queryFor);
const sentAt = new Float64Array(65536);
const latencies: number[] = [];
let sent = 0;
let wrong = 0;
const socket = createSocket('udp4');
const begun = performance.now();

function ask(): void {
  const id = sent % 65536;
  const question = Buffer.from(questions[sent % questions.length] ?? Buffer.alloc(0));
  question.writeUInt16BE(id, 0);
  sentAt[id] = performance.now();
  sent++;
  socket.send(question);
}

function finish(): void {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? 0;
  const ms = performance.now() - begun;
  console.log(JSON.stringify({ ms, lost: sent - latencies.length, wrong, p50: at(0.5), p99: at(0.99) }));
  socket.close();
  process.exit(0);
}

let silence = setTimeout(finish, PATIENCE_MS);
socket.on('message', (answer) => {
  const id = answer.readUInt16BE(0);
  latencies.push(performance.now() - (sentAt[id] ?? 0));
  if (((answer[3] ?? 15) & 15) !== 0 || answer.readUInt16BE(6) === 0) wrong++;
  if (latencies.length >= queries) return finish();
  if (latencies.length % 256 === 0) {
    clearTimeout(silence);
    silence = setTimeout(finish, PATIENCE_MS);
  }
  if (rate === 0 && sent < queries) ask();
  return undefined;
});
socket.connect(53, '127.0.0.11', () => {
  socket.setRecvBufferSize(4 * 1024 * 1024);
  if (rate === 0) {
    while (sent < Math.min(WINDOW, queries)) ask();
    return;
  }
  const pacer = setInterval(() => {
    const due = Math.min(queries, Math.floor(((performance.now() - begun) / 1000) * rate));
    while (sent < due) ask();
    if (sent >= queries) clearInterval(pacer);
  }, 1);
});
