import { bytesToHex } from '../../engine/base/hex';
import { decodeInsns, imm64 } from '../../engine/bpf/bytes';
import { BPF_PSEUDO, CALL, LD_IMM64, type BpfInsn } from '../../engine/bpf/insn';
import { jitedLineAddress } from '../../engine/jit/line-info';
import { compileFunction } from '../../engine/jit/subprograms';
import type { JitFunction } from '../../engine/jit/types';
import { imageDifference, listDifference, valueDifference } from './difference';
import type { KernelFacts } from './facts';
import type { Fields } from './fields';
import type { RecordCheck } from './report';

/** Reasons for which functions of kernel records are not compared (cli.md). */
export const REASON = {
  loadError: 'the kernel refused the program',
  arena: 'arena program: start addresses are not recorded',
  kfunc: 'calls kfuncs: argument sizes are not recorded',
  notJited: 'no JITed function in the record',
} as const;

/** A loaded program of a kernel record: every function's image, exception table and line offsets. */
export function checkLoadedProgram(check: RecordCheck, load: Fields, facts: KernelFacts): void {
  if (!load.has('funcs')) {
    check.leaveOut(load.has('load_error') ? REASON.loadError : REASON.notJited);
    return;
  }
  const name = load.text('name');
  const recorded = load.objects('funcs');
  let start = 0;
  const functions = recorded.map((func, index) => {
    const insns = decodeInsns(func.has('jit_insns') ? func.bytes('jit_insns') : load.bytes('xlated'));
    const fn = compileRecorded(
      check,
      func,
      insns,
      { name, index, start, isFunc: recorded.length > 1 },
      facts,
    );
    start += insns.length;
    return fn;
  });
  if (load.has('linfo')) checkLineInfo(check, load, functions);
}

interface Place {
  readonly name: string;
  readonly index: number;
  readonly start: number;
  readonly isFunc: boolean;
}

function compileRecorded(
  check: RecordCheck,
  func: Fields,
  insns: readonly BpfInsn[],
  place: Place,
  facts: KernelFacts,
): JitFunction | undefined {
  const reason = incomparable(func, insns);
  if (reason !== undefined) {
    check.leaveOut(reason);
    return undefined;
  }
  check.count('functions');
  const base = func.address('addr');
  const callBase = facts.symbol('__bpf_call_base');
  const fn = compileFunction(
    {
      profile: facts.profile,
      ...place,
      name: place.index === 0 ? place.name : `${place.name}.${place.index}`,
      insns,
      stackDepth: func.number('stack_depth'),
      verifierZext: func.flag('verifier_zext'),
      tailCallReachable: func.flag('tail_call_reachable'),
      typeWord: undefined,
      surroundings: {
        callBase,
        addresses: { perCpuOffset: facts.symbol('__per_cpu_offset') },
        acceptsStrayJumps: true,
      },
    },
    () => base,
    (slot) => recordedCallee(insns, slot, callBase),
  );
  const image = func.bytes('image');
  // The record ends with the final return, ours may have what an earlier pass left behind it.
  const ours = image.length === fn.finalLen ? fn.image.subarray(0, fn.finalLen) : fn.image;
  check.expect(`image of ${fn.name}`, imageDifference(ours, image, { address: base, fn, insns }));
  if (func.has('extable')) {
    const what = `exception table of ${fn.name}`;
    const address = base + BigInt(fn.extableOffset);
    check.expect(what, valueDifference('address', address, func.address('extable_addr')));
    check.expect(what, valueDifference('bytes', bytesToHex(fn.extableBytes), func.text('extable')));
  }
  return fn;
}

function incomparable(func: Fields, insns: readonly BpfInsn[]): string | undefined {
  if (func.has('arena')) return REASON.arena;
  const callsKfunc = insns.some((insn) => insn.code === CALL && insn.src === BPF_PSEUDO.KFUNC_CALL);
  return callsKfunc ? REASON.kfunc : undefined;
}

/** After jit_subprogs a call's imm is the callee's distance from __bpf_call_base, a function reference its address. */
function recordedCallee(insns: readonly BpfInsn[], slot: number, callBase: bigint): bigint {
  const insn = insns[slot];
  if (insn?.code === LD_IMM64) return imm64(insns, slot);
  return BigInt.asUintN(64, callBase + BigInt(insn?.imm ?? 0));
}

/** Entries are `[input insn, xlated insn, function, byte offset, …]`. */
function checkLineInfo(
  check: RecordCheck,
  load: Fields,
  functions: readonly (JitFunction | undefined)[],
): void {
  const entries = load.rows('linfo').filter((row) => functions[Number(row[2])] !== undefined);
  const ours = entries.map((row) => {
    const fn = functions[Number(row[2])]!;
    return Number(jitedLineAddress(fn, Number(row[1])) - fn.bpfFunc);
  });
  check.expect(
    'line info',
    listDifference(
      'linfo byte offset',
      ours,
      entries.map((row) => Number(row[3])),
    ),
  );
}
