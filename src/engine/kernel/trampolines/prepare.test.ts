import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import { TRAMP_FLAG } from '../../jit/trampoline/model';
import { parseProfile } from '../../jit/profile';
import { TrampolineAddresses, addressNames } from './addresses';
import type { AttachKind } from './kinds';
import { prepareTrampoline, type Attachment, type TraceTarget } from './prepare';

const PLAIN = { sleepable: false, ip: false, cookie: 0n, sessionCookie: false, interpreted: false };
const attach = (kind: AttachKind, more: Partial<Attachment> = {}): Attachment => ({
  kind,
  ...PLAIN,
  ...more,
});
const TARGET: TraceTarget = {
  name: 'f',
  kind: 'kernel',
  args: [{ size: 8, signed: false }],
  result: { size: 4, signed: true },
};

function prepare(
  attachments: readonly Attachment[],
  { target = TARGET, kernel = '7.2', tcc = 'native', cfi = false } = {},
  given: ReadonlyMap<string, bigint> = new Map(),
) {
  const addresses = new TrampolineAddresses(parseProfile({ kernel }).kernel, attachments.length, given);
  return prepareTrampoline(parseProfile({ kernel, tcc, cfi }), target, attachments, addresses);
}
const flags = (bits: number): string[] =>
  Object.entries(TRAMP_FLAG).flatMap(([name, bit]) => ((bits & bit) !== 0 ? [name] : []));

describe('flags and lists', () => {
  const nothing = { ...TARGET, result: { size: 0, signed: false } };
  it.each([
    ['fentry', TARGET, ['RESTORE_REGS'], [1, 0, 0]],
    ['fexit', TARGET, ['CALL_ORIG', 'SKIP_FRAME'], [0, 1, 0]],
    ['fmod_ret', TARGET, ['CALL_ORIG', 'SKIP_FRAME'], [0, 0, 1]],
    ['fsession', TARGET, ['CALL_ORIG', 'SKIP_FRAME'], [1, 1, 0]],
    ['lsm', TARGET, ['CALL_ORIG', 'SKIP_FRAME'], [0, 0, 1]],
    ['lsm', nothing, ['CALL_ORIG', 'SKIP_FRAME'], [0, 1, 0]],
    ['struct_ops', TARGET, ['RET_FENTRY_RET', 'INDIRECT'], [1, 0, 0]],
    ['struct_ops', nothing, ['INDIRECT'], [1, 0, 0]],
  ] as const)('of %s (result %o)', (kind, target, expected, lists) => {
    const model = prepare([attach(kind)], { target });
    expect(flags(model.flags)).toEqual(expected);
    expect([model.fentry, model.fexit, model.fmodRet].map((list) => list.length)).toEqual(lists);
    expect(model.structOps).toBe(kind === 'struct_ops');
  }); // prettier-ignore

  it('6.6 knows no flag for struct_ops', () => {
    expect(flags(prepare([attach('struct_ops')], { kernel: '6.6' }).flags)).toEqual(['RET_FENTRY_RET']);
  });

  it('the most recently attached runs first', () => {
    const model = prepare([attach('fentry'), attach('fexit'), attach('fsession'), attach('fentry')]);
    const ours = new TrampolineAddresses('7.2', 4);
    const numbers = (list: readonly { prog: bigint }[]) =>
      list.map(({ prog }) => [1, 2, 3, 4].find((number) => ours.prog(number) === prog));
    expect([numbers(model.fentry), numbers(model.fexit)]).toEqual([
      [4, 3, 1],
      [3, 2],
    ]);
  });

  it.each([
    ['mainline', 'bpf', false],
    ['mainline', 'bpf-tail-calls', true],
    ['transparent', 'bpf', true],
    ['transparent', 'kernel', false],
  ] as const)('TAIL_CALL_CTX under %s on %s: %s', (tcc, kind, set) => {
    const model = prepare([attach('fentry', { ip: true })], { target: { ...TARGET, kind }, tcc });
    expect(flags(model.flags)).toEqual(['RESTORE_REGS', 'IP_ARG', ...(set ? ['TAIL_CALL_CTX'] : [])]);
  });
});

describe('the functions around a program', () => {
  it.each([
    ['fexit', false, '_recur'],
    ['fexit', true, '_sleepable_recur'],
    ['lsm', false, ''],
    ['lsm', true, '_sleepable'],
    ['struct_ops', true, '_sleepable'],
  ] as const)('%s (sleepable: %s)', (kind, sleepable, suffix) => {
    const model = prepare([attach(kind, { sleepable })]);
    const [program] = [...model.fentry, ...model.fexit, ...model.fmodRet];
    const symbol = (name: string): bigint => new TrampolineAddresses('7.2', 1).symbol(name);
    expect([program!.enter, program!.exit]).toEqual([
      symbol(`__bpf_prog_enter${suffix}`),
      symbol(`__bpf_prog_exit${suffix}`),
    ]);
  });
});

describe('addresses', () => {
  it('are those given, by the names that are listed', () => {
    const names = addressNames(2);
    const given = new Map(names.map((name, i) => [name, BigInt(0x1000 + 2 * i)] as const));
    const programs = [attach('fexit', { interpreted: true }), attach('fexit')];
    const model = prepare(programs, {}, given);
    expect(model.imageAddress).toBe(given.get('image'));
    expect(model.imAddress).toBe(given.get('im'));
    expect(model.funcAddress).toBe(given.get('function'));
    expect(model.fexit.map(({ prog, bpfFunc, insnsi }) => [prog, bpfFunc, insnsi])).toEqual([
      [given.get('prog2'), given.get('bpf_func2'), undefined],
      [given.get('prog1'), given.get('bpf_func1'), given.get('insnsi1')],
    ]);
    expect(model.trampExit).toBe(given.get('__bpf_tramp_exit'));
    const structOps = prepare([attach('struct_ops')], { cfi: true }, new Map([['type_word', 0x1234n]]));
    expect([structOps.typeWord, structOps.imAddress]).toEqual([0x1234, 0n]);
  });

  it('differ from each other', () => {
    const ours = new TrampolineAddresses('6.12', 38);
    const all = [
      ...Array.from({ length: 38 }, (_, i) => [ours.prog(i + 1), ours.bpfFunc(i + 1)]).flat(),
      ...[ours.image, ours.im, ours.function(true), ours.function(false)],
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    ['nowhere', 0x1000n, "called 'nowhere'"],
    ['prog3', 0x1000n, "called 'prog3'"],
    ['image', 0x1001n, 'odd'],
  ])('%s = %s is refused', (name, address, part) => {
    const make = (): unknown => new TrampolineAddresses('6.12', 2, new Map([[name, address]]));
    expect(make).toThrow(EngineError);
    expect(make).toThrow(part);
  });
});

describe('refused', () => {
  const bpf = { ...TARGET, kind: 'bpf' } as const;
  it.each([
    ['nothing attached', [], {}, 'Nothing is attached to f'],
    ['more than 38', Array.from({ length: 39 }, () => attach('fentry')), {}, 'at most 38'],
    ['sessions that count twice', Array.from({ length: 20 }, () => attach('fsession')), {}, '40 programs'],
    ['fsession in 6.12', [attach('fsession')], { kernel: '6.12' }, 'has no fsession programs'],
    ['a cookie without a session', [attach('fexit', { sessionCookie: true })], {}, 'Only fsession'],
    ['fmod_ret on BPF', [attach('fmod_ret')], { target: bpf }, 'is a BPF program'],
    ['lsm on BPF', [attach('lsm')], { target: bpf }, 'is a BPF program'],
    ['ip in LSM', [attach('lsm', { ip: true })], {}, 'bpf_get_func_ip is for'],
    ['a cookie of struct_ops', [attach('struct_ops', { cookie: 1n })], {}, 'no attach cookie'],
    ['two struct_ops', [attach('struct_ops'), attach('struct_ops')], {}, 'one program alone'],
    ['kCFI without a type word', [attach('struct_ops')], { cfi: true }, 'type word'],
  ] as const)('%s', (_, attachments, where, part) => {
    const make = (): unknown => prepare(attachments, where);
    expect(make).toThrow(EngineError);
    expect(make).toThrow(part);
  });
});
