import { message } from '@wharf/wire/grpc/protobuf';

/** BuildKit's gateway containers and what an error says of a failed step; field numbers as its .proto files have them. */

const Mount = message('pb.Mount', {
  ...{ 1: ['input', 'int'], 2: ['selector', 'string'], 3: ['dest', 'string'], 4: ['output', 'int'] },
  ...{ 5: ['readonly', 'bool'], 6: ['mountType', 'int'], 23: ['resultID', 'string'] },
});
const Meta = message('pb.Meta', {
  ...{ 1: ['args', ['string']], 2: ['env', ['string']], 3: ['cwd', 'string'], 4: ['user', 'string'] },
});
const ExecOp = message('pb.ExecOp', {
  1: ['meta', Meta],
  2: ['mounts', [Mount]],
  3: ['network', 'int'],
  4: ['security', 'int'],
});
const Op = message('pb.Op', { 2: ['exec', ExecOp] });
export const SolveDetail = message('errdefs.Solve', {
  ...{ 1: ['inputIDs', ['string']], 2: ['mountIDs', ['string']], 3: ['op', Op] },
});

export interface MountMessage {
  readonly dest?: string;
  readonly selector?: string;
  readonly readonly?: boolean;
  readonly mountType?: number | string;
  readonly resultID?: string;
}

export interface MetaMessage {
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
}

/** What an error says of the step that failed. */
export interface FailedStep {
  readonly inputIDs?: readonly string[];
  readonly mountIDs?: readonly string[];
  readonly op?: {
    readonly exec?: {
      readonly meta?: MetaMessage;
      readonly mounts?: readonly MountMessage[];
      readonly network?: number;
    };
  };
}

export const NewContainerRequest = message('NewContainerRequest', {
  ...{ 1: ['ContainerID', 'string'], 2: ['Mounts', [Mount]], 3: ['Network', 'int'], 7: ['hostname', 'string'] },
});
export const ReleaseContainerRequest = message('ReleaseContainerRequest', { 1: ['ContainerID', 'string'] });

const Init = message('InitMessage', {
  ...{
    1: ['ContainerID', 'string'],
    2: ['Meta', Meta],
    3: ['Fds', ['int']],
    4: ['Tty', 'bool'],
    5: ['Security', 'int'],
  },
});
const File = message('FdMessage', { 1: ['Fd', 'int'], 2: ['EOF', 'bool'], 3: ['Data', 'bytes'] });
const Resize = message('ResizeMessage', { 1: ['Rows', 'int'], 2: ['Cols', 'int'] });
const Failure = message('google.rpc.Status', { 1: ['code', 'int'], 2: ['message', 'string'] });
const Exit = message('ExitMessage', { 1: ['Code', 'int'], 2: ['Error', Failure] });
const Nothing = message('Empty', {});
const Signal = message('SignalMessage', { 1: ['Name', 'string'] });
export const ExecMessage = message('ExecMessage', {
  ...{ 1: ['ProcessID', 'string'], 2: ['Init', Init], 3: ['File', File], 4: ['Resize', Resize] },
  ...{ 5: ['Started', Nothing], 6: ['Exit', Exit], 7: ['Done', Nothing], 8: ['Signal', Signal] },
});

/** What comes back from a process. */
export interface ExecAnswer {
  readonly File?: { readonly Fd: number; readonly EOF: boolean; readonly Data: Uint8Array };
  readonly Exit?: { readonly Code: number; readonly Error?: { readonly message: string } };
  readonly Done?: object;
}
