/** The daemon's end of conmon's attach socket, as `SeqpacketClient` of `@wharf/linux/seqpacket` gives it. */
export interface MonitorSocket {
  /** The packet is the callback's until it returns. */
  onPacket(callback: (packet: Buffer) => void): void;
  onEnd(callback: () => void): void;
  onDrain(callback: () => void): void;
  /** False when nothing was sent; try again after drain. Throws when the peer is gone. */
  send(packet: Buffer): boolean;
  pause(): void;
  resume(): void;
  shutdownWrite(): void;
  close(): void;
}
