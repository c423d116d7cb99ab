/**
 * Containers that a client opens on a build (BuildKit, gateway `NewContainer`, `ExecProcess`, `ReleaseContainer`), to look at it.
 *
 * - `LLBBridge/Solve` that fails in a RUN is answered with an error whose details hold `errdefs.Solve`: `op.exec` as it was tried
 *   (`meta.args`, `meta.env`, `meta.cwd`, `meta.user`, `mounts`), and `mountIDs`, one for each of those mounts. The first mount is
 *   the root as the failed command left it; `inputIDs` name the same mounts as they were before it ran.
 * - The failed step stays as it is, with its secrets, caches and context, for as long as `Control/Solve` of that build is open: until
 *   the client calls `LLBBridge/Return` (with the error) or goes away. Then all of it is given back.
 * - `NewContainer{ContainerID, Mounts}` takes an id that the client makes up, and mounts with `resultID` set to one of those ids; of a
 *   build that succeeded one mount at `/` with the id of its result's reference. What is changed in there is thrown away.
 * - `ExecProcess` is a stream: `Init` first, with `Meta` and `Fds` ([0, 1, 2] for all three) or `Tty` (then 1 carries all output), then
 *   `File` (with `EOF` for the end of stdin), `Resize` and `Signal` from the client; `Started`, `File`, `Exit{Code}`, `Done` from here.
 *   Several processes may run in a container; the first one ends the others with it.
 * - All calls carry the build's reference in the metadata `buildkit-controlapi-buildid`.
 */
export const MAX_CONTAINERS = 16;
