import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Semaphore } from '@wharf/kit';
import { registryError } from '../errors.ts';
import { MAX_HASHING, MAX_WAITING_FOR_HASH } from '../limits.ts';

const COST = { logN: 15, r: 8, p: 1 } as const;
const HASHED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Each takes 32 MiB while it runs. */
const hashing = new Semaphore(MAX_HASHING);

function derive(password: string, salt: Buffer, cost: { logN: number; r: number; p: number }): Promise<Buffer> {
  if (hashing.waiting >= MAX_WAITING_FOR_HASH)
    throw registryError('TOOMANYREQUESTS', 'too many logins at once', { headers: { 'Retry-After': '5' } });
  const { logN, r, p } = cost;
  const options = { N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r };
  return hashing.run(
    () =>
      new Promise<Buffer>((resolve, reject) =>
        scrypt(password.normalize('NFC'), salt, 32, options, (error, key) => (error ? reject(error) : resolve(key))),
      ),
  );
}

/** Hashes a password for keeping, slowly (RFC 7914). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  const { logN, r, p } = COST;
  return `$scrypt$ln=${logN},r=${r},p=${p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

/** True when the password has that hash. Takes as long when there is none to compare with, so that nobody learns who has an account. */
export async function verifyPassword(password: string, hashed: string | undefined): Promise<boolean> {
  const parts = HASHED.exec(hashed ?? '');
  if (parts === null) {
    await derive(password, Buffer.alloc(16), COST);
    return false;
  }
  const [, logN, r, p, salt = '', key = ''] = parts;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), cost), Buffer.from(key, 'base64url'));
}

/** A secret of 256 random bits, which no slow hash has to protect. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** How a random secret is kept. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

export function verifySecret(secret: string, hashed: string): boolean {
  return timingSafeEqual(createHash('sha256').update(secret).digest(), Buffer.from(hashed, 'base64url'));
}
