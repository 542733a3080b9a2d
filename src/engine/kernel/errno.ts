import { EngineError, type ErrorData } from '../base/errors';

/** Linux error numbers that the kernel model returns (asm-generic/errno*.h; ENOTSUPP is kernel-internal). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  ENOTSUPP: 524,
} as const;

export type ErrnoName = keyof typeof ERRNO;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, number]) => [number, name]),
);

/** `EINVAL` for 22; the number itself where it has no name here. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? String(errno);
}

/** A negative errno as the 64-bit value that a kernel function returns. */
export const minus = (name: ErrnoName): bigint => -BigInt(ERRNO[name]);

/** The error that stands for a system call failing with `-errno`: code `kernel/errno`, the positive number in data.errno. */
export function errnoError(name: ErrnoName, what: string, data: ErrorData = {}): EngineError {
  return new EngineError('kernel/errno', `${what} (-${name}).`, { ...data, errno: ERRNO[name] });
}
