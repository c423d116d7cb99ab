import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const PROBE_MS = 4000;

/** qemu's arguments for the fastest processor that works here. */
export type Accelerator = readonly string[];

const KVM: Accelerator = ['-accel', 'kvm', '-cpu', 'host'];
const TCG: Accelerator = ['-accel', 'tcg,thread=multi', '-cpu', 'max'];

/**
 * KVM where it works, else emulation. There are machines with a /dev/kvm on which qemu aborts or no instruction is ever run, so the kernel
 * must have said its first word with it.
 */
export async function chooseAccelerator(qemu: string, kernel: string): Promise<Accelerator> {
  if (!existsSync('/dev/kvm')) return TCG;
  const machine = ['-M', 'pc', '-nodefaults', '-no-user-config', '-display', 'none', '-m', '256', '-no-reboot'];
  const boot = ['-kernel', kernel, '-append', 'console=ttyS0 panic=-1', '-serial', 'stdio'];
  const child = spawn(qemu, [...machine, ...KVM, ...boot], { stdio: ['ignore', 'pipe', 'ignore'] });
  return (await says(child, 'Linux version')) ? KVM : TCG;
}

function says(child: ChildProcess, word: string): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    let found = false;
    const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4096);
      if (!text.includes(word)) return;
      found = true;
      child.kill('SIGKILL');
    });
    child.once('error', () => resolve(false));
    child.once('close', () => {
      clearTimeout(timer);
      resolve(found);
    });
  });
}
