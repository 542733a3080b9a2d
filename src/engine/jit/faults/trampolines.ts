import { TRAMP_FLAG, type TrampolineModel, type TrampolineProgram } from '../trampoline/model';
import type { TrampolineCase } from './case';

const PROGRAM: TrampolineProgram = {
  prog: 0xffffffc600105000n,
  bpfFunc: 0xffffffff78000800n,
  jited: true,
  cookie: 0n,
  enter: 0xffffffff801cc68cn,
  exit: 0xffffffff801cc810n,
};

const FENTRY: TrampolineModel = {
  name: 'traced',
  flags: TRAMP_FLAG.RESTORE_REGS,
  args: [{ size: 4, signed: true }],
  result: { size: 4, signed: true },
  structOps: false,
  funcAddress: 0xffffffff808c7e72n,
  imageAddress: 0xffffffff78000100n,
  imAddress: 0xffffffd620478400n,
  fentry: [PROGRAM],
  fexit: [],
  fmodRet: [],
  trampEnter: 0xffffffff801cce50n,
  trampExit: 0xffffffff801ccea0n,
};

const FEXIT: TrampolineModel = {
  ...FENTRY,
  flags: TRAMP_FLAG.CALL_ORIG | TRAMP_FLAG.SKIP_FRAME,
  fentry: [],
  fexit: [PROGRAM],
};

const STRUCT_OPS: TrampolineModel = {
  ...FENTRY,
  flags: TRAMP_FLAG.INDIRECT | TRAMP_FLAG.RET_FENTRY_RET,
  result: { size: 8, signed: false },
  structOps: true,
  imAddress: 0n,
};

/** Faults of trampolines. */
export const TRAMPOLINE_CASES: readonly TrampolineCase[] = [
  {
    kind: 'trampoline',
    fault: 'trampoline-sized-short',
    profile: {},
    look: 'The length of the trampoline and of its buffer: the code runs over the end, into what lies behind.',
    model: FEXIT,
    programResult: 0n,
    sound: { overrun: 0 },
    faulty: { overrun: 20 },
  },
  {
    kind: 'trampoline',
    fault: 'enter-result-forgotten',
    profile: {},
    look: 'a1 of __bpf_prog_exit when the program was skipped: an older value of s1 instead of 0.',
    model: FENTRY,
    programResult: 0n,
    skips: true,
    sound: { startTimeOfSkipped: 0n },
    faulty: { startTimeOfSkipped: 0x0dd5_1000n },
  },
  {
    kind: 'trampoline',
    fault: 'struct-ops-return-truncated',
    profile: {},
    look: 'a0 at the return to the kernel: a pointer of which only the sign-extended low half is left.',
    model: STRUCT_OPS,
    programResult: 0xff60_0000_8855_4500n,
    sound: { a0: 0xff60_0000_8855_4500n },
    faulty: { a0: 0xffff_ffff_8855_4500n },
  },
  {
    kind: 'trampoline',
    fault: 'original-enters-trampoline',
    profile: {},
    look: 'Where the original is entered: at its patched entry, which jumps into the trampoline again.',
    model: FEXIT,
    programResult: 0n,
    sound: { originalAt: 8 },
    faulty: { originalAt: 0 },
  },
];
