import type { Params } from '../../shared/contract';
import type { TrampolineSlotView, TrampolineSuggestion, TrampolineView } from '../../shared/views';

/** Trampolines as the debugger gives them, short enough to read. */

export const sampleSuggestions: readonly TrampolineSuggestion[] = [
  {
    spec: {
      function: 'admit',
      target: 'bpf-tail-calls',
      args: 'u64, u32',
      result: 's32',
      programs: [
        { kind: 'fentry', name: 'on_entry' },
        { kind: 'fexit', name: 'on_exit', ip: true },
      ],
    },
    prototype: 'int admit(struct xdp_md *ctx, u32 queue)',
  },
  {
    spec: {
      function: 'schedule',
      target: 'kernel',
      args: 'u64',
      result: 'u64',
      programs: [{ kind: 'fentry', name: 'on_schedule' }],
    },
    problem: 'The BTF of sample.o does not describe schedule: its arguments and result are not known.',
  },
];

const slot = (name: string, fpOffset: number, register?: string): TrampolineSlotView => ({
  name,
  kind: name === 'tcc' ? 'tcc' : 'trampoline',
  fpOffset,
  spOffset: 32 + fpOffset,
  size: 8,
  why: `Why ${name} is there.`,
  ...(register !== undefined && { register }),
});

export function sampleTrampoline({ profile, spec }: Params<'session.trampoline'>): TrampolineView {
  if (spec.args === 'u7') throw new Error("'u7' is no type; write u8 to u128.");
  const at = (offset: number): string => `0x${(0xffffffff78000000n + BigInt(offset)).toString(16)}`;
  return {
    profile,
    spec,
    functionAddress: at(0x1000),
    entry: `Entered from the patched entry of ${spec.function}.`,
    flags: ['RESTORE_REGS'],
    address: at(0),
    size: 14,
    allocSize: 18,
    programs: spec.programs.map((program, i) => ({
      ...program,
      name: program.name ?? `${program.kind}${i + 1}`,
      prog: at(0x2000),
      bpfFunc: at(0x3000),
      enter: '__bpf_prog_enter_recur',
      exit: '__bpf_prog_exit_recur',
    })),
    native: [
      { address: at(0), offset: 0, bytes: '5d71', text: 'addi sp, sp, -32', rule: 'trampoline/frame' },
      {
        address: at(2),
        offset: 2,
        bytes: '96e4',
        text: 'sd t0, 24(sp)',
        rule: 'trampoline/frame',
        slot: 0,
        access: 'stores',
      },
      {
        address: at(4),
        offset: 4,
        bytes: '233c04f9',
        text: 'sd a6, -16(s0)',
        rule: 'tcc/store',
        slot: 1,
        access: 'stores',
      },
      {
        address: at(8),
        offset: 8,
        bytes: 'e700c365',
        text: 'jalr 1628(t1) # 0xffffffff801cc68c <__bpf_prog_enter_recur>',
        rule: 'trampoline/prog-enter',
      },
      { address: at(12), offset: 12, bytes: '8282', text: 'jr t0', rule: 'trampoline/return' },
    ],
    rules: {
      'trampoline/frame': 'Makes the frame.',
      'tcc/store': 'Stores the counter.',
      'trampoline/prog-enter': 'Start time.',
      'trampoline/return': 'Returns.',
    },
    frameSize: 32,
    slots: [slot('return into the traced function', -8, 't0'), slot('tcc', -16, 'a6'), slot('padding', -24)],
  };
}
