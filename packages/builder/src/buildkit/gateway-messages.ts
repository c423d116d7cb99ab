import { message } from '@wharf/wire/grpc/protobuf';

/** BuildKit's messages about containers on a build (`frontend/gateway/pb/gateway.proto`, `solver/pb/ops.proto`). */

const Mount = message('pb.Mount', { 2: ['selector', 'string'], 3: ['dest', 'string'], 23: ['resultID', 'string'] });
export const NewContainerRequest = message('NewContainerRequest', {
  ...{ 1: ['ContainerID', 'string'], 2: ['Mounts', [Mount]], 3: ['Network', 'int'] },
});
export interface NewContainer {
  readonly ContainerID: string;
  readonly Mounts: readonly { readonly dest: string; readonly resultID: string }[];
}
export const ReleaseContainerRequest = message('ReleaseContainerRequest', { 1: ['ContainerID', 'string'] });

const Meta = message('pb.Meta', {
  ...{ 1: ['args', ['string']], 2: ['env', ['string']], 3: ['cwd', 'string'], 4: ['user', 'string'] },
});
const InitMessage = message('InitMessage', {
  ...{ 1: ['ContainerID', 'string'], 2: ['Meta', Meta], 3: ['Fds', ['int']], 4: ['Tty', 'bool'] },
});
const FdMessage = message('FdMessage', { 1: ['Fd', 'int'], 2: ['EOF', 'bool'], 3: ['Data', 'bytes'] });
const ResizeMessage = message('ResizeMessage', { 1: ['Rows', 'int'], 2: ['Cols', 'int'] });
const Nothing = message('StartedMessage', {});
const Status = message('google.rpc.Status', { 1: ['code', 'int'], 2: ['message', 'string'] });
const ExitMessage = message('ExitMessage', { 1: ['Code', 'int'], 2: ['Error', Status] });
const SignalMessage = message('SignalMessage', { 1: ['Name', 'string'] });
export const ExecMessage = message('ExecMessage', {
  ...{ 1: ['ProcessID', 'string'], 2: ['Init', InitMessage], 3: ['File', FdMessage], 4: ['Resize', ResizeMessage] },
  ...{ 5: ['Started', Nothing], 6: ['Exit', ExitMessage], 7: ['Done', Nothing], 8: ['Signal', SignalMessage] },
});
export interface Exec {
  readonly ProcessID: string;
  readonly Init?: ExecInit;
  readonly File?: { readonly Fd: number; readonly EOF: boolean; readonly Data: Uint8Array };
  readonly Resize?: { readonly Rows: number; readonly Cols: number };
  readonly Signal?: { readonly Name: string };
}
export interface ExecInit {
  readonly ContainerID: string;
  readonly Meta?: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: string;
  };
  readonly Fds: readonly number[];
  readonly Tty: boolean;
}
