import { posix } from 'node:path';
import { redact, WharfError } from '@wharf/kit';

/** A git repository and what of it is meant (Dockerfile reference, "ADD"; BuildKit, "URL fragments" and "URL queries"). */
export interface GitReference {
  /** As git takes it: a URL, or `user@host:path`. */
  readonly remote: string;
  readonly protocol: 'https' | 'http' | 'git' | 'ssh';
  /** With its port, where it has one. */
  readonly host: string;
  /** A branch, a tag or a commit; empty for what the repository has at its head. */
  readonly ref: string;
  /** Inside of the repository, without leading slash; empty for all of it. */
  readonly subdirectory: string;
  /** The commit it must be, or how that begins; empty for any. */
  readonly checksum: string;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  /** The time of the files: when they are written, or the commit's. */
  readonly mtime: 'checkout' | 'commit';
  /** The checksum is taken as the commit, whatever the ref stands for. */
  readonly fetchByCommit: boolean;
}

type Query = Omit<GitReference, 'remote' | 'protocol' | 'host'>;

const SCP_STYLE = /^([a-zA-Z0-9._-]+)@([a-zA-Z0-9.-]+):([^?#]+)(\?[^#]*)?(?:#(.*))?$/;
const PROTOCOLS = ['https', 'http', 'git', 'ssh'] as const;

/**
 * Reads an address of a git repository: `ssh://`, `git://` and `user@host:path` always are, `http(s)://` when the path ends in `.git`,
 * `github.com/owner/name` too. `undefined` for anything else. Throws `invalid-argument` for what is a repository, but a wrong one.
 */
export function parseGitReference(text: string): GitReference | undefined {
  const whole = text.startsWith('github.com/') ? `https://${text}` : text;
  const address = whole.includes('://') ? readUrl(whole, whole !== text) : readScpStyle(whole);
  if (address === undefined) return undefined;
  const { remote, protocol, host, search, fragment } = address;
  // Git would take some of these as options, others as commands of a transport.
  if (/[\0-\x20\x7f]/.test(text) || remote.startsWith('-') || host.startsWith('-') || host === '') {
    throw invalid(text, 'it holds characters that no address has');
  }
  return { remote, protocol, host, ...checked(text, readQuery(text, search, readFragment(fragment))) };
}

interface Address extends Pick<GitReference, 'remote' | 'protocol' | 'host'> {
  readonly search: string;
  readonly fragment: string;
}

function readUrl(text: string, isGithub: boolean): Address | undefined {
  const protocol = PROTOCOLS.find((name) => text.toLowerCase().startsWith(`${name}://`));
  if (protocol === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if ((protocol === 'http' || protocol === 'https') && !isGithub && !url.pathname.endsWith('.git')) return undefined;
  const { search, host } = url;
  const fragment = decodeURIComponentSafely(url.hash.slice(1));
  url.search = '';
  url.hash = '';
  return { remote: url.href, protocol, host, search, fragment };
}

function readScpStyle(text: string): Address | undefined {
  const match = SCP_STYLE.exec(text);
  if (match === null) return undefined;
  const [, user = '', host = '', path = '', search = '', fragment = ''] = match;
  return { remote: `${user}@${host}:${path}`, protocol: 'ssh', host, search, fragment };
}

function readFragment(fragment: string): Query {
  const colon = fragment.indexOf(':');
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdirectory = colon < 0 ? '' : posix.resolve('/', fragment.slice(colon + 1)).slice(1);
  const rest = { checksum: '', keepGitDir: undefined, submodules: undefined };
  return { ref, subdirectory, ...rest, mtime: 'checkout', fetchByCommit: false };
}

function readQuery(text: string, search: string, before: Query): Query {
  const found: { -readonly [Key in keyof Query]: Query[Key] } = { ...before };
  const query = new URLSearchParams(search);
  for (const name of new Set(query.keys())) {
    const [value = '', ...more] = query.getAll(name);
    if (more.length > 0) throw invalid(text, `query "${name}" has multiple values`);
    const isFlag = name === 'submodules' || name === 'keep-git-dir' || name === 'fetch-by-commit';
    if (value === '' && !isFlag) throw invalid(text, `query "${name}" has no value`);
    if (name === 'keep-git-dir') found.keepGitDir = flag(text, name, value);
    else if (name === 'submodules') found.submodules = flag(text, name, value);
    else if (name === 'fetch-by-commit') found.fetchByCommit = flag(text, name, value);
    else if (name === 'mtime' && (value === 'checkout' || value === 'commit')) found.mtime = value;
    else if (name === 'checksum' || name === 'commit') found.checksum = value;
    else if (name === 'subdir') found.subdirectory = agreeing(text, 'subdir', found.subdirectory, value);
    else if (name === 'ref') found.ref = agreeing(text, 'ref', found.ref, value);
    else if (name === 'tag')
      found.ref = agreeing(text, 'ref', found.ref, `refs/tags/${value.replace(/^refs\/tags\//, '')}`);
    else if (name === 'branch') {
      found.ref = agreeing(text, 'ref', found.ref, `refs/heads/${value.replace(/^refs\/heads\//, '')}`);
    } else throw invalid(text, `unexpected query "${name}"`);
  }
  return { ...found, subdirectory: posix.resolve('/', found.subdirectory).slice(1) };
}

function agreeing(text: string, name: string, before: string, value: string): string {
  if (before !== '' && before !== value) throw invalid(text, `${name} conflicts: "${before}" vs "${value}"`);
  return value;
}

function flag(text: string, name: string, value: string): boolean {
  if (/^(|1|t|true|TRUE|True|T)$/.test(value)) return true;
  if (/^(0|f|false|FALSE|False|F)$/.test(value)) return false;
  throw invalid(text, `invalid ${name} value: "${value}"`);
}

/** A ref that git could not take for anything else, and a checksum that is one. */
function checked(text: string, query: Query): Query {
  const { ref, checksum, subdirectory } = query;
  // gitrevisions(7), git-check-ref-format(1): what a name may not hold, plus what would be an option or a refspec.
  if (/^[-+]|\.\.|@\{|[\0-\x20\x7f~^:?*[\\]/.test(ref))
    throw invalid(text, `"${ref}" is no name of a branch, tag or commit`);
  if (!/^([0-9a-f]{7,64})?$/.test(checksum))
    throw invalid(text, `invalid checksum "${checksum}", expected a commit hash`);
  if (subdirectory.includes('\0')) throw invalid(text, 'its directory holds a zero byte');
  return query;
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(text: string, why: string): WharfError {
  return new WharfError('invalid-argument', `Cannot use "${redact(text)}" as a git repository: ${why}`);
}
