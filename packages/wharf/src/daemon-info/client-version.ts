import { type GoField, type GoType, pointerTo, type StructType, stringType } from '@wharf/kit/go-template/types';
import { CLIENT_API_VERSION } from '@wharf/wire/docker-client/client';
import { contextName } from '@wharf/wire/docker-client/endpoint';
import type { CliContext } from '../cli/context.ts';
import { wharfVersion } from '../version.ts';

/** What the client says of itself, in the names docker's has. */
export interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion?: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** @param apiVersion the one spoken with the daemon; absent where nobody was asked */
export function clientVersion(context: Pick<CliContext, 'endpointChoice'>, apiVersion?: string): ClientVersion {
  const version = wharfVersion();
  return {
    Version: version,
    ...(apiVersion === undefined ? {} : { ApiVersion: apiVersion }),
    DefaultAPIVersion: CLIENT_API_VERSION,
    GitCommit: version,
    GoVersion: `node${process.versions.node}`,
    Os: process.platform,
    Arch: ARCHITECTURES[process.arch] ?? process.arch,
    BuildTime: '',
    Context: contextName(context.endpointChoice),
  };
}

/** A field of a Go structure for templates. */
export function goField(name: string, type: GoType, more: Partial<GoField> = {}): GoField {
  return { name, key: name, type, ...more };
}

const omitted = (name: string, key = name): GoField => goField(name, stringType, { key, omitEmpty: true });

const platformInfo: StructType = { kind: 'struct', name: 'system.platformInfo', fields: [omitted('Name')] };

/** Go's type of the same, for templates. */
export const clientVersionType: StructType = {
  kind: 'struct',
  name: 'system.clientVersion',
  fields: [
    goField('Platform', pointerTo(platformInfo), { omitEmpty: true }),
    omitted('Version'),
    omitted('APIVersion', 'ApiVersion'),
    ...['DefaultAPIVersion', 'GitCommit', 'GoVersion', 'Os', 'Arch', 'BuildTime'].map((name) => omitted(name)),
    goField('Context', stringType),
  ],
};
