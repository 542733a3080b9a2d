import type { AppInfo, ExampleView } from '../../shared/contract';
import type {
  FrameView,
  LastWriteView,
  MapView,
  ObjectView,
  OutputView,
  RegisterView,
  StackFrameView,
  WriteTarget,
} from '../../shared/views';
import { sampleListing, SESSION } from './sample-listing';

/** Views as the debugger gives them, for tests and previews. */

export const sampleInfo: AppInfo = {
  version: '0.1.0',
  host: 'browser',
  nativeDialog: false,
  kernels: [
    { kernel: '6.6', schemes: ['mainline', 'stack-v1'], mixing: ['stack-v1'] },
    {
      kernel: '6.12',
      schemes: ['mainline', 'stack-v1', 'stack-v3', 'stack-v6', 'transparent'],
      mixing: ['stack-v1', 'stack-v3', 'stack-v6', 'transparent'],
    },
    { kernel: '7.2', schemes: ['mainline', 'transparent'], mixing: ['transparent'] },
    { kernel: '7.3', schemes: ['stack-v6', 'transparent'], mixing: ['stack-v6', 'transparent'] },
  ],
};

export const sampleExamples: readonly ExampleView[] = [
  {
    id: 'tailcall_dispatch',
    title: 'Tail call dispatcher',
    description: 'An XDP program picks one of four programs out of a prog array and jumps to it.',
    hint: 'a6 before and after bpf_ktime_get_ns: the counter waits in s6 while the helper runs.',
    program: 'dispatch',
  },
  {
    id: 'xdp_counters',
    title: 'XDP parser with counters',
    description: 'Parses Ethernet and IPv4 headers and counts packets by protocol in a per-CPU array.',
    hint: 'The bounds checks against data_end, and what the verifier made of ctx->data.',
    program: 'count',
  },
  {
    id: 'hierarchy',
    title: 'Tail call hierarchy',
    description: 'The entry calls a subprogram twice, and the subprogram tail-calls the entry.',
    hint: '33 tail calls and then the refusal; with a count restored per frame this never ends.',
    program: 'entry',
  },
];

export const sampleObject: ObjectView = {
  id: 'object-1',
  name: 'tailcall_dispatch.o',
  license: 'GPL',
  programs: [
    {
      name: 'dispatch',
      section: 'xdp',
      type: 'xdp',
      instructions: 16,
      subprograms: [],
      inputs: { data: '0102030405060708090a0b0c08004500002e' + '00'.repeat(42) },
    },
    {
      name: 'pass',
      section: 'xdp',
      type: 'xdp',
      instructions: 2,
      subprograms: ['helper'],
      inputs: { data: '00'.repeat(14) },
    },
    {
      name: 'watch',
      section: 'lsm/file_open',
      type: 'lsm',
      instructions: 9,
      subprograms: [],
      unsupported: 'Programs of type lsm cannot be run yet: there is no context for them.',
      inputs: {},
    },
  ],
  maps: [{ name: 'jump_table', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4 }],
};

const ABI =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6 pc'.split(
    ' ',
  );
const HOLDS: Readonly<Record<string, string>> = {
  a5: 'R0',
  a0: 'R1',
  a1: 'R2',
  a2: 'R3',
  a3: 'R4',
  a4: 'R5',
  s1: 'R6',
  s2: 'R7',
  s3: 'R8',
  s4: 'R9',
  s5: 'R10',
  t0: 'AX',
};

/** Registers at step `n` of the sample program; the ones that differ from step n - 1 are marked. */
export function sampleRegisters(n: number, pc: string): RegisterView[] {
  const value = (name: string, at: number): bigint => {
    if (name === 'zero') return 0n;
    if (name === 'pc') return BigInt(pc);
    if (name === 'sp') return 0xffffffc800003f80n - (at > 3 ? 64n : 0n);
    if (name === 's0') return at > 9 ? 0xffffffc800003f80n : 0xffffffc800003fe0n;
    if (name === 'ra') return 0xffffffff80001234n;
    if (name === 'a6') return at < 3 ? 0n : 33n;
    if (name === 's6') return at > 11 ? 33n : 0xffffffc8000ab000n;
    if (name === 'a0') return at > 15 ? 0x17a2b3c4d5n : 0xffffffc800005000n;
    if (name === 'a5') return at > 15 ? 0x17a2b3c4d5n : 0n;
    if (name === 's1') return at > 10 ? 0xffffffc800005000n : 0n;
    return name.startsWith('t') ? 0xdeadn * BigInt(name.charCodeAt(1)) : 0n;
  };
  return ABI.map((abi, index) => {
    const now = value(abi, n);
    const before = value(abi, n - 1);
    const changed = abi === 'pc' ? n > 0 : now !== before;
    return {
      index,
      abi,
      bpf: HOLDS[abi],
      hex: `0x${now.toString(16)}`,
      decimal: String(BigInt.asIntN(64, now)),
      changed,
      previous: changed ? `0x${before.toString(16)}` : undefined,
      role: abi === 'a6' || abi === 's6' ? 'tcc' : abi === 'pc' ? 'pc' : abi === 'sp' ? 'sp' : undefined,
      note:
        abi === 'a6'
          ? n < 3
            ? 'Not set yet: the prologue sets it to 33.'
            : '33 tail calls left.'
          : abi === 's6'
            ? n > 11
              ? 'Keeps the count while a helper runs.'
              : 'The caller’s value, saved in the frame.'
            : undefined,
    } satisfies RegisterView;
  });
}

export function sampleFrames(
  pc: string,
  line: number | undefined,
  slot: number | undefined,
): StackFrameView[] {
  const key = sampleListing.function.key;
  return [
    {
      index: 0,
      kind: 'bpf',
      name: 'dispatch',
      location: {
        pc,
        symbol: `bpf_prog_7d1c2f0b93a4e655_dispatch+0x${(BigInt(pc) - BigInt(sampleListing.function.address)).toString(16)}`,
        function: key,
        slot,
        file: line === undefined ? undefined : 'tailcall_dispatch.c',
        line,
      },
      cfa: '0xffffffc800003f80',
    },
    {
      index: 1,
      kind: 'bpf',
      name: 'entry',
      location: {
        pc: '0xffffffff80100046',
        symbol: 'bpf_prog_12aa_entry+0x26',
        function: key,
        slot: 1,
        file: 'tailcall_dispatch.c',
        line: 15,
      },
      note: 'entered by a tail call from entry; that frame was replaced',
    },
    {
      index: 2,
      kind: 'kernel',
      name: 'bpf_test_run',
      location: { pc: '0xffffffff80001234', symbol: 'bpf_test_run+0x54' },
    },
  ];
}

export function sampleFrame(session: string, stop: number, frame: number, saved: number): FrameView {
  const names = [
    ['saved ra', 'ra', 'ra is overwritten by calls'],
    ['saved s0 (fp)', 'fp', 'the frame pointer of the caller'],
    ['saved s1 (R6)', 'saved-register', 's1 holds R6'],
    ['saved s2 (R7)', 'saved-register', 's2 holds R7'],
    ['saved s6', 'saved-register', 's6 keeps the TCC across helper calls'],
    ['padding', 'padding', 'the frame is a multiple of 16 bytes'],
    ['BPF stack', 'bpf-stack', 'R10 points to its end'],
  ] as const;
  return {
    session,
    stop,
    frame,
    name: frame === 0 ? 'dispatch' : 'entry',
    size: 64,
    rows: names.map(([name, kind, why], i) => {
      const size = kind === 'bpf-stack' ? 16 : 8;
      const spOffset = kind === 'bpf-stack' ? 0 : 56 - 8 * i;
      return {
        address: `0x${(0xffffffc800003f40n + BigInt(spOffset)).toString(16)}`,
        name,
        kind,
        size,
        fpOffset: spOffset - 64,
        spOffset,
        value: i < saved ? (size > 8 ? '00'.repeat(16) : `0xffffffff8000123${i}`) : undefined,
        changed: i === saved - 1,
        why,
      };
    }),
    note: saved < 5 ? `prologue: ${saved} of 5 registers saved so far` : undefined,
  };
}

export const sampleMaps: readonly MapView[] = [
  {
    name: 'jump_table',
    type: 'prog_array',
    keySize: 4,
    valueSize: 4,
    maxEntries: 4,
    address: '0xffffffc800008000',
    entries: [
      { key: '00000000', value: '0c000000', target: 'pass' },
      { key: '01000000', value: '0d000000', target: 'drop' },
    ],
    more: false,
  },
  {
    name: 'counters',
    type: 'array',
    keySize: 4,
    valueSize: 8,
    maxEntries: 256,
    address: '0xffffffc800009000',
    entries: [
      { key: '00000000', value: '2a00000000000000' },
      { key: '01000000', value: '0000000000000000' },
    ],
    more: true,
  },
];

export const sampleOutput = (index: number, at: number): OutputView => {
  const kinds = ['helper', 'printk', 'tail-call'] as const;
  const kind = kinds[index % 3] ?? 'helper';
  const text = {
    helper: 'bpf_ktime_get_ns() = 101502346453; clobbered a0–a7, t0–t6',
    printk: `dispatch-1 [000] 0.0001${index}: bpf_trace_printk: dispatch 1`,
    'tail-call': `dispatch slot 13: tail call to pass taken, ${33 - index} left`,
  }[kind];
  return { index, kind, text, at };
};

/** The native row that wrote a target, as the sample has it. */
export function sampleLastWrite(target: WriteTarget, stop: number, row: number): LastWriteView {
  const native = sampleListing.native[row]!;
  const label =
    target.kind === 'register' ? `x${target.register}` : `${target.length} bytes at ${target.address}`;
  return {
    session: SESSION,
    stop,
    target,
    label,
    text: `${label} was last written by ${native.text}: 0x0 → 0x21.`,
    time: row,
    instructions: row,
    writer: {
      kind: 'instruction',
      native: native.text,
      location: { pc: native.address, symbol: 'dispatch' },
    },
    before: '0x0',
    after: '0x21',
  };
}
