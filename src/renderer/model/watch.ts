import type { BreakpointSpec, RegisterView, WatchSpec, WriteTarget } from '../../shared/views';
import { hexAddress } from './address';

export type RegisterWhen = (WatchSpec & { kind: 'register' })['when'];
export type MemoryWhen = (WatchSpec & { kind: 'memory' })['when'];

/** Bytes that one watchpoint covers at most. */
export const MOST_WATCHED = 65_536;

/** Whether a register can be watched: not the zero register, nor pc, which every instruction writes. */
export const canWatch = (index: number): boolean => index >= 1 && index <= 31;

/** How a target reads: `a6`, `8 bytes at 0x…`. */
export function targetName(target: WriteTarget, registers: readonly RegisterView[]): string {
  if (target.kind === 'register') {
    return registers.find(({ index }) => index === target.register)?.abi ?? `x${target.register}`;
  }
  return target.length === 1
    ? `the byte at ${target.address}`
    : `${target.length} bytes at ${target.address}`;
}

/** The watchpoints that a target can have without more being said. */
export function watchSpecs(target: WriteTarget): readonly WatchSpec[] {
  if (target.kind === 'register') {
    return [
      { ...target, when: 'written' },
      { ...target, when: 'changed' },
    ];
  }
  return [
    { ...target, when: 'written' },
    { ...target, when: 'changed' },
    { ...target, when: 'read' },
  ];
}

export function sameWatch(a: WatchSpec, b: BreakpointSpec): boolean {
  if (a.kind === 'register') {
    return (
      b.kind === 'register' &&
      a.register === b.register &&
      a.when === b.when &&
      BigInt(a.value ?? 0) === BigInt(b.value ?? 0)
    );
  }
  return (
    b.kind === 'memory' &&
    BigInt(a.address) === BigInt(b.address) &&
    a.length === b.length &&
    a.when === b.when
  );
}

/**
 * The value of what a user wrote: registers by ABI or BPF name and numbers (decimal, `0x…`), added and subtracted:
 * `R10 - 8`, `sp+0x10`, `-1`. Modulo 2^64; nothing when it is no such expression.
 */
export function evaluate(text: string, registers: readonly RegisterView[]): bigint | undefined {
  const compact = text.toLowerCase().replace(/\s+/g, '');
  if (!/^[+-]?[0-9a-z]+([+-][0-9a-z]+)*$/.test(compact)) return undefined;
  let sum = 0n;
  for (const term of compact.match(/[+-]?[0-9a-z]+/g) ?? []) {
    const word = term.replace(/^[+-]/, '');
    const value = termValue(word, registers);
    if (value === undefined) return undefined;
    sum += term.startsWith('-') ? -value : value;
  }
  return BigInt.asUintN(64, sum);
}

function termValue(word: string, registers: readonly RegisterView[]): bigint | undefined {
  const register = registers.find(({ abi, bpf }) => abi === word || bpf?.toLowerCase() === word);
  if (register) return BigInt(register.hex);
  return /^(0x[0-9a-f]{1,16}|\d{1,20})$/.test(word) ? BigInt(word) : undefined;
}

/** What the dialog for a new watchpoint holds, as it is typed. */
export interface WatchDraft {
  readonly kind: WatchSpec['kind'];
  readonly register: number;
  readonly registerWhen: RegisterWhen;
  readonly value: string;
  readonly address: string;
  readonly length: string;
  readonly memoryWhen: MemoryWhen;
}

export const EMPTY_DRAFT: WatchDraft = {
  kind: 'register',
  register: 16,
  registerWhen: 'changed',
  value: '',
  address: '',
  length: '8',
  memoryWhen: 'changed',
};

/** The watchpoint that a draft stands for, or what is wrong with it, one sentence. */
export function specOf(
  draft: WatchDraft,
  registers: readonly RegisterView[],
): { readonly spec: WatchSpec } | { readonly problem: string } {
  if (draft.kind === 'register') {
    const { register, registerWhen: when } = draft;
    if (when !== 'equals') return { spec: { kind: 'register', register, when } };
    const value = evaluate(draft.value, registers);
    if (value === undefined)
      return { problem: 'Write the value as a number, 0x…, or a register’s name, such as sp - 8.' };
    return { spec: { kind: 'register', register, when, value: hexAddress(value) } };
  }
  const address = evaluate(draft.address, registers);
  if (address === undefined) {
    return { problem: 'Write an address as 0x…, or from a register, such as R10 - 8 or sp + 16.' };
  }
  const length = Number(draft.length);
  if (!/^\d+$/.test(draft.length.trim()) || length < 1 || length > MOST_WATCHED) {
    return { problem: `A watchpoint covers 1 to ${MOST_WATCHED} bytes.` };
  }
  return { spec: { kind: 'memory', address: hexAddress(address), length, when: draft.memoryWhen } };
}
