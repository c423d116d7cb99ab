import { posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import { parseSignal } from '@wharf/linux/signals';
import type { ContainerConfig } from '@wharf/wire/docker/types';
import { execForm, expandWord, instructionLines, splitWords } from './change-words.ts';
import { parseHealthcheck } from './healthcheck-change.ts';

interface Draft {
  config: { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };
  /** A CMD among the changes survives a later ENTRYPOINT; an inherited one does not. */
  commandSet: boolean;
}

type Apply = (draft: Draft, rest: string) => void;

const instructions: Readonly<Record<string, Apply>> = {
  CMD(draft, rest) {
    draft.config.Cmd = execForm(rest) ?? shellForm(draft, rest);
    draft.commandSet = true;
  },
  ENTRYPOINT(draft, rest) {
    draft.config.Entrypoint = execForm(rest) ?? shellForm(draft, rest);
    if (!draft.commandSet) delete draft.config.Cmd;
  },
  ENV(draft, rest) {
    const environment = variables(draft);
    for (const [key, value] of pairs('ENV', rest))
      setVariable(draft, expandWord(key, environment), expandWord(value, environment));
  },
  LABEL(draft, rest) {
    const environment = variables(draft);
    const added = pairs('LABEL', rest).map(([key, value]) => [
      expandWord(key, environment),
      expandWord(value, environment),
    ]);
    draft.config.Labels = { ...draft.config.Labels, ...Object.fromEntries(added) };
  },
  EXPOSE(draft, rest) {
    const ports = words(draft, 'EXPOSE', rest)
      .flatMap((word) => word.split(/\s+/))
      .flatMap(expandPorts);
    draft.config.ExposedPorts = {
      ...draft.config.ExposedPorts,
      ...Object.fromEntries(ports.map((port) => [port, {}])),
    };
  },
  VOLUME(draft, rest) {
    const paths = execForm(rest) ?? words(draft, 'VOLUME', rest);
    if (paths.length === 0 || paths.some((path) => path.trim() === '')) {
      throw invalid('VOLUME specified can not be an empty string');
    }
    draft.config.Volumes = { ...draft.config.Volumes, ...Object.fromEntries(paths.map((path) => [path.trim(), {}])) };
  },
  USER(draft, rest) {
    draft.config.User = one(draft, 'USER', rest);
  },
  WORKDIR(draft, rest) {
    const path = one(draft, 'WORKDIR', rest);
    draft.config.WorkingDir = posix.resolve('/', draft.config.WorkingDir ?? '', path);
  },
  STOPSIGNAL(draft, rest) {
    const signal = one(draft, 'STOPSIGNAL', rest);
    parseSignal(signal);
    draft.config.StopSignal = signal;
  },
  HEALTHCHECK(draft, rest) {
    draft.config.Healthcheck = parseHealthcheck(rest);
  },
  ONBUILD(draft, rest) {
    const trigger = (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase();
    if (trigger === '') throw invalid('ONBUILD requires at least one argument');
    if (trigger === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (trigger === 'MAINTAINER' || trigger === 'FROM') throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`);
    draft.config.OnBuild = [...(draft.config.OnBuild ?? []), rest];
  },
};

/**
 * Applies Dockerfile instructions (`--change` of commit and import) to a config and returns the new one. Throws
 * `invalid-argument` for what no change may be or is malformed.
 */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const draft: Draft = { config: { ...config }, commandSet: false };
  for (const { word, rest } of instructionLines(changes.join('\n'))) {
    const name = word.toUpperCase();
    const apply = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
    if (apply === undefined) throw invalid(`${word} is not a valid change command`);
    if (rest === '' && name !== 'CMD' && name !== 'ENTRYPOINT') throw invalid(`${name} requires at least one argument`);
    apply(draft, rest);
  }
  return draft.config;
}

function invalid(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}

function shellForm(draft: Draft, rest: string): string[] {
  if (rest === '') return [];
  const shell = draft.config.Shell ?? [];
  return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), rest];
}

function variables(draft: Draft): Map<string, string> {
  return new Map((draft.config.Env ?? []).map((entry) => cut(entry)));
}

function cut(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function words(draft: Draft, name: string, rest: string): string[] {
  const environment = variables(draft);
  const list = splitWords(rest).map((word) => expandWord(word, environment));
  if (list.length === 0) throw invalid(`${name} requires at least one argument`);
  return list;
}

function one(draft: Draft, name: string, rest: string): string {
  const [only, ...more] = words(draft, name, rest);
  if (only === undefined || only === '' || (more.length > 0 && name !== 'WORKDIR'))
    throw invalid(`${name} requires exactly one argument`);
  return [only, ...more].join(' ');
}

/** `a=1 b="2 3"`, or the old form `a 1 2`. */
function pairs(name: string, rest: string): [key: string, value: string][] {
  const list = splitWords(rest);
  const [first = ''] = list;
  if (!first.includes('=')) {
    if (list.length < 2) throw invalid(`${name} must have two arguments`);
    return [[first, rest.slice(first.length).trim()]];
  }
  return list.map((word) => {
    if (!word.includes('=')) {
      throw invalid(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    }
    const [key, value] = cut(word);
    if (key === '') throw invalid(`${name} names can not be blank`);
    return [key, value];
  });
}

function setVariable(draft: Draft, key: string, value: string): void {
  const list = [...(draft.config.Env ?? [])];
  const at = list.findIndex((entry) => cut(entry)[0] === key);
  if (at < 0) list.push(`${key}=${value}`);
  else list[at] = `${key}=${value}`;
  draft.config.Env = list;
}

/** `80`, `80/udp`, `8000-8010/tcp`; a host part before a colon is dropped, as Docker does. */
function expandPorts(spec: string): string[] {
  const own = spec.slice(spec.lastIndexOf(':') + 1);
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(own);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (match === null || end < start || end > 65_535) throw invalid(`invalid containerPort: ${own}`);
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${protocol}`);
}
