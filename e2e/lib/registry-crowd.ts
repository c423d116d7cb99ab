import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const sha256 = (bytes: string | Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Mostly small, so that there are many; some large enough to be hashed by a worker. */
const content = (): Buffer => randomBytes(1000 + Math.floor(Math.random() ** 6 * 600_000));

/** What may be under a tag, as far as a client knows whose requests were answered or not. */
type Possible = ReadonlySet<string | undefined>;

/**
 * Clients that push, tag, mount, delete and pull at once, and remember what the registry has acknowledged.
 *
 * Each client has repositories of its own, so that it knows what must be there; they share content, so that uploads, mounts and
 * collections meet.
 */
export class RegistryCrowd {
  readonly #url: string;
  /** Acknowledged or possible digests by `repository:tag`. */
  readonly tags = new Map<string, Possible>();
  readonly problems: string[] = [];
  acknowledged = 0;
  deleted = 0;
  #shared: Buffer[] = Array.from({ length: 12 }, () => content());

  constructor(url: string) {
    this.#url = url;
  }

  /** Works with so many clients until the signal; what is cut off then is remembered as possible. */
  async work(clients: number, signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, number) => this.#client(`chaos/c${number}`, signal)));
  }

  async #client(repository: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const dice = Math.random();
      try {
        if (dice < 0.62) await this.#push(repository);
        else if (dice < 0.74) await this.#deleteTag(repository);
        else if (dice < 0.86) await this.#deleteManifest(repository);
        else if (dice < 0.93) await this.#vanish(repository);
        else await this.#pullOne(repository);
      } catch (error) {
        // The registry has gone; what was under way is possible.
        if (!(error instanceof TypeError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  async #push(repository: string): Promise<void> {
    const tag = `t${Math.floor(Math.random() * 12)}`;
    const config = randomBytes(100);
    const layers = [this.#some(), Math.random() < 0.5 ? this.#some() : randomBytes(3000)];
    const descriptors = [];
    for (const bytes of [config, ...layers]) {
      if (!(await this.#blob(repository, bytes))) return;
      descriptors.push({ mediaType: 'application/octet-stream', digest: sha256(bytes), size: bytes.length });
    }
    const [first, ...rest] = descriptors;
    const json = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: first, layers: rest });
    const key = `${repository}:${tag}`;
    const before = this.tags.get(key) ?? new Set([undefined]);
    this.tags.set(key, new Set([...before, sha256(json)]));
    const answer = await this.#send('PUT', `${repository}/manifests/${tag}`, json, MANIFEST);
    if (answer.status === 201) {
      this.tags.set(key, new Set([sha256(json)]));
      this.acknowledged += 1;
    } else {
      this.tags.set(key, before);
      // A blob whose lease has ended may be gone again: the client then pushes anew.
      if (answer.status !== 404) this.problems.push(`PUT of a manifest answered ${answer.status}`);
    }
  }

  /** Brings a blob by mount, by one PUT or by chunks. */
  async #blob(repository: string, bytes: Buffer): Promise<boolean> {
    const digest = sha256(bytes);
    if ((await this.#send('HEAD', `${repository}/blobs/${digest}`)).status === 200) return true;
    const query = Math.random() < 0.5 ? `?mount=${digest}` : '';
    const begun = await this.#send('POST', `${repository}/blobs/uploads/${query}`);
    if (begun.status === 201) return true;
    const place = new URL(begun.location, this.#url);
    let rest = bytes;
    if (Math.random() < 0.3) {
      const half = bytes.subarray(0, bytes.length >> 1);
      if ((await this.#send('PATCH', place.href, half)).status !== 202) return false;
      rest = bytes.subarray(half.length);
    }
    place.searchParams.set('digest', digest);
    const { status } = await this.#send('PUT', place.href, rest);
    if (status !== 201 && status !== 404) this.problems.push(`PUT of a blob answered ${status}`);
    return status === 201;
  }

  async #deleteTag(repository: string): Promise<void> {
    const [key, possible] = this.#ofRepository(repository);
    if (key === undefined || possible === undefined) return;
    this.tags.set(key, new Set([...possible, undefined]));
    const { status } = await this.#send('DELETE', `${repository}/manifests/${key.split(':')[1]}`);
    if (status === 202 || (status === 404 && possible.has(undefined))) this.tags.set(key, new Set([undefined]));
    else this.problems.push(`DELETE of a tag answered ${status}`);
    this.deleted += 1;
  }

  async #deleteManifest(repository: string): Promise<void> {
    const [key, possible] = this.#ofRepository(repository);
    const [digest] = possible ?? [];
    if (key === undefined || possible === undefined || digest === undefined) return;
    this.tags.set(key, new Set([...possible, undefined]));
    const { status } = await this.#send('DELETE', `${repository}/manifests/${digest}`);
    const left = new Set([...possible].filter((each) => each !== digest)).add(undefined);
    if (status === 202 || (status === 404 && possible.size > 1)) this.tags.set(key, left);
    else this.problems.push(`DELETE of a manifest answered ${status}`);
    this.deleted += 1;
  }

  /** Announces a blob, sends a part of it and is gone. */
  async #vanish(repository: string): Promise<void> {
    const begun = await this.#send('POST', `${repository}/blobs/uploads/`);
    const { hostname, port } = new URL(this.#url);
    const target = new URL(begun.location, this.#url).pathname;
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        const head = `PUT ${target}?digest=${sha256('never')} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`;
        socket.write(head);
        socket.write(randomBytes(30_000), () => socket.destroy());
      });
      socket.on('error', () => {}).on('close', () => resolve());
    });
  }

  async #pullOne(repository: string): Promise<void> {
    const [key] = this.#ofRepository(repository);
    if (key !== undefined) await this.#pull(key);
  }

  /** Pulls everything that must be there and compares each byte; what is amiss stands in `problems`. */
  async audit(): Promise<void> {
    for (const key of this.tags.keys()) await this.#pull(key);
  }

  async #pull(key: string): Promise<void> {
    const possible = this.tags.get(key) ?? new Set();
    const [repository = '', tag = ''] = key.split(':');
    const answer = await this.#send('GET', `${repository}/manifests/${tag}`);
    const found = answer.status === 200 ? sha256(answer.bytes) : undefined;
    if (!possible.has(found)) {
      this.problems.push(`${key} is ${found} (${answer.status}), not ${[...possible].join(' or ')}`);
      return;
    }
    if (found === undefined) return;
    this.tags.set(key, new Set([found]));
    const { config, layers } = JSON.parse(answer.bytes.toString()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    for (const { digest } of [config, ...layers]) {
      const blob = await this.#send('GET', `${repository}/blobs/${digest}`);
      if (blob.status !== 200 || sha256(blob.bytes) !== digest)
        this.problems.push(`${key} needs ${digest}, which answered ${blob.status} with ${sha256(blob.bytes)}`);
    }
  }

  #ofRepository(repository: string): readonly [string, Possible] | readonly [] {
    const own = [...this.tags].filter(([key]) => key.startsWith(`${repository}:`));
    return own[Math.floor(Math.random() * own.length)] ?? [];
  }

  /** Content that several clients push; now and then a new one takes the place of an old one. */
  #some(): Buffer {
    const place = Math.floor(Math.random() * this.#shared.length);
    if (Math.random() < 0.1) this.#shared[place] = content();
    return this.#shared[place] ?? randomBytes(10);
  }

  async #send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    type = 'application/octet-stream',
  ): Promise<{ readonly status: number; readonly location: string; readonly bytes: Buffer }> {
    const init =
      body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)), headers: { 'content-type': type } };
    const answer = await fetch(new URL(path, `${this.#url}/v2/`), { method, ...init });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, location: answer.headers.get('location') ?? '', bytes };
  }
}
