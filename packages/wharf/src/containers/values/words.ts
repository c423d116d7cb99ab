import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

/** A variable of the container; one without `=` takes the client's value, and stays a bare name where the client has none. */
export function parseVariable(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const { before: name, found } = cut(text, '=');
  if (name === '') throw refuse(`invalid environment variable: ${text}`);
  const value = env[name];
  return found || value === undefined ? text : `${name}=${value}`;
}

/** A label, `key[=value]`. */
export function parseLabel(text: string): string {
  const key = cut(text, '=').before.replace(/^[ \t]+/, '');
  if (key === '') throw refuse(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(key)) throw refuse(`label '${key}' contains whitespaces`);
  return text;
}

/** A stream to attach to. */
export function parseAttach(text: string): string {
  const stream = text.toLowerCase();
  if (['stdin', 'stdout', 'stderr'].includes(stream)) return stream;
  throw refuse('valid streams are STDIN, STDOUT and STDERR');
}

/** `container[:alias]`. */
export function parseLink(text: string): string {
  if (text === '') throw refuse('empty string specified for links');
  if (text.split(':').length > 2) throw refuse(`bad format for links: ${text}`);
  return text;
}

const SYSCTLS = /^(?:kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$|net\.|fs\.mqueue\.)/;

/** `name=value` of a kernel setting that a container may have of its own. */
export function parseSysctl(text: string): string {
  const { before: name, found } = cut(text, '=');
  if (!found || name === '' || !SYSCTLS.test(name)) throw refuse(`sysctl '${text}' is not allowed`);
  return text;
}

/** `c 1:3 rwm`. */
export function parseDeviceCgroupRule(text: string): string {
  if (/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) return text;
  throw refuse(`invalid device cgroup format '${text}'`);
}
