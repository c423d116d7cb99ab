import { DockerfileError } from '../dockerfile/location.ts';

const MAX_PORT = 65_535;

/** The words of an EXPOSE as the image's configuration has them: `80/tcp`, ranges written out. */
export function exposedPorts(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const [range = '', protocol = 'tcp', ...rest] = word.split('/');
    const kind = protocol.toLowerCase();
    if (rest.length > 0 || !['tcp', 'udp', 'sctp'].includes(kind)) {
      throw new DockerfileError(`invalid containerPort: ${word}: invalid protocol: ${protocol}`);
    }
    // An address or a host port before it is taken away, as Docker still does.
    const [first = '', last = first] = (range.split(':').at(-1) ?? '').split('-');
    const [start, end] = [port(first, word), port(last, word)];
    if (end < start) throw new DockerfileError(`invalid containerPort: ${word}`);
    return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${kind}`);
  });
}

function port(text: string, word: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= MAX_PORT)) throw new DockerfileError(`invalid containerPort: ${word}`);
  return number;
}
