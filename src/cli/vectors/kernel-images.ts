import { bytesToHex } from '../../engine/base/hex';
import { decodeInsns } from '../../engine/bpf/bytes';
import type { BpfInsn } from '../../engine/bpf/insn';
import { jitedLineAddress } from '../../engine/jit/line-info';
import type { JitFunction } from '../../engine/jit/types';
import { imageDifference, listDifference, valueDifference } from './difference';
import type { KernelFacts } from './facts';
import type { Fields } from './fields';
import { compileRecorded, incomparable, type RecordedPlace } from './recorded-function';
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
    const fn = checkFunction(check, func, insns, { name, index, start, isFunc: recorded.length > 1 }, facts);
    start += insns.length;
    return fn;
  });
  if (load.has('linfo')) checkLineInfo(check, load, functions);
}

function checkFunction(
  check: RecordCheck,
  func: Fields,
  insns: readonly BpfInsn[],
  place: RecordedPlace,
  facts: KernelFacts,
): JitFunction | undefined {
  const reason = incomparable(func, insns);
  if (reason !== undefined) {
    check.leaveOut(REASON[reason]);
    return undefined;
  }
  check.count('functions');
  const fn = compileRecorded(func, insns, place, facts);
  const { base } = fn;
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
