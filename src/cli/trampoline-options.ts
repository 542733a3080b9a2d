import { EngineError } from '../engine/base/errors';
import { ATTACH_KINDS, isAttachKind } from '../engine/kernel/trampolines/kinds';
import { TARGET_KINDS } from '../engine/kernel/trampolines/prepare';
import { VALUE_WORDS } from '../engine/kernel/trampolines/words';
import type { TrampolineProgramSpec, TrampolineTarget } from '../engine/debugger/views';
import { usage, type Arguments, type OptionSpec } from './command';

const ATTACH_KEYS = 'sleepable, ip, cookie=0x…, session-cookie, interpreted';
/** More of one --attach is a slip of the finger; the kernel's limit is below. */
const MOST_REPEATED = 99;

/** The options that say what a trampoline is made from. */
export const TRAMPOLINE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'attach',
    value: 'KIND[*N][,KEY…]',
    repeatable: true,
    help: `attach N programs, in this order; KIND: ${ATTACH_KINDS.join(', ')}; KEY: ${ATTACH_KEYS}`,
  },
  {
    name: 'function',
    value: 'NAME',
    help: 'the traced function (default: what the section names; without OBJ traced)',
  },
  {
    name: 'target',
    value: 'KIND',
    help: 'what it is: kernel (default), bpf, or bpf-tail-calls = a BPF program from which tail calls can be reached',
  },
  {
    name: 'btf',
    value: 'FILE',
    help: 'what describes it: BTF of the kernel (/sys/kernel/btf/vmlinux), vmlinux, or the traced BPF object',
  },
  {
    name: 'args',
    value: 'TYPE,…',
    help: `its arguments in place of what the BTF says: ${VALUE_WORDS}, or void (without OBJ default u64)`,
  },
  { name: 'ret', value: 'TYPE', help: 'its result: one of these, or void (default s32 where no BTF tells)' },
  {
    name: 'address',
    value: 'NAME=0x…',
    repeatable: true,
    help: 'an address of a real machine: image, function, im, prog1, bpf_func1, __bpf_tramp_enter, …',
  },
];

/** What `--attach` attaches, in order. @throws EngineError `usage/arguments` */
export function attachedPrograms(args: Arguments): TrampolineProgramSpec[] {
  return args.texts('attach').flatMap(attachment);
}

function attachment(text: string): TrampolineProgramSpec[] {
  const [head = '', ...keys] = text.split(',');
  const [, word = '', times = '1'] = /^([a-z_]*)(?:\*(\d+))?$/.exec(head) ?? [];
  if (!isAttachKind(word)) {
    throw usage(`--attach takes one of ${ATTACH_KINDS.join(', ')}, not '${head}'`);
  }
  const count = Number(times);
  if (count < 1 || count > MOST_REPEATED) {
    throw usage(`--attach ${head} attaches ${times} programs; write a number from 1 to ${MOST_REPEATED}`);
  }
  const spec = { kind: word, ...Object.assign({}, ...keys.map(attachKey)) };
  return Array.from({ length: count }, () => spec);
}

function attachKey(text: string): Partial<TrampolineProgramSpec> {
  const [key, value] = text.split('=', 2);
  switch (text) {
    case 'sleepable':
      return { sleepable: true };
    case 'ip':
      return { ip: true };
    case 'session-cookie':
      return { sessionCookie: true };
    case 'interpreted':
      return { interpreted: true };
  }
  if (key === 'cookie' && value !== undefined) return { cookie: hex64Text('--attach cookie=', value) };
  throw usage(`--attach knows the keys ${ATTACH_KEYS}, not '${text}'`);
}

/** A 64-bit number in hexadecimal or decimal digits, as `0x…`. */
function hex64Text(what: string, text: string): string {
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : -1n;
  if (number >= 0n && number < 1n << 64n) return `0x${number.toString(16)}`;
  throw usage(`${what} takes a number of up to 64 bits such as 0x1234, not '${text}'`);
}

/** @throws EngineError `usage/arguments` for a word that is no kind of target */
export function targetFrom(args: Arguments): TrampolineTarget | undefined {
  const word = args.text('target');
  const kind = TARGET_KINDS.find((known) => known === word);
  if (word === undefined || kind !== undefined) return kind;
  throw usage(`--target takes ${TARGET_KINDS.join(', ')}, not '${word}'`);
}

/** Addresses by name; the name may be that of any address in the code. @throws EngineError `usage/arguments` */
export function addressesFrom(args: Arguments): ReadonlyMap<string, bigint> {
  return new Map(
    args.texts('address').map((text) => {
      const [name = '', value = ''] = text.split('=', 2);
      if (name === '') throw usage(`--address takes NAME=0x…, not '${text}'`);
      return [name, BigInt(hex64Text(`--address ${name}=`, value))] as const;
    }),
  );
}

/** Runs `make`; what the engine refuses names the option that set it. */
export function naming<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof EngineError) throw usage(`${option}: ${error.message}`);
    throw error;
  }
}
