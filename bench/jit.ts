import type { BpfInsn } from '../src/engine/bpf/insn';
import { compileProgram } from '../src/engine/jit/subprograms';
import type { JitInput } from '../src/engine/jit/types';
import { parseProfile } from '../src/engine/jit/profile';
import { Random } from '../src/engine/rv64/testing/random';
import { llcSpeed } from './jit/llc';

const SIZES = [10, 1_000, 100_000, 1_000_000];
/** Slots translated in one timed round, at least. */
const WORK = 1_000_000;
/** Instructions that llc is given to compare with. */
const LLC_SIZE = 100_000;

const op = (code: number, dst: number, src: number, off: number, imm: number): BpfInsn => ({
  code,
  dst,
  src,
  off,
  imm,
});

/**
 * A program of `size` slots: arithmetic, constants, memory, calls of helpers, loops back and a few jumps forward. Forward
 * jumps are few on purpose: each pass can shorten them only as far as the code before them has moved by less than a branch
 * reaches, so that large programs full of them need more passes than the kernel has, whatever their translation costs.
 */
function program(size: number, random: Random): BpfInsn[] {
  const insns: BpfInsn[] = [];
  while (insns.length < size - 2) {
    const dst = random.below(6);
    const src = random.below(6);
    const at = insns.length;
    const kind = random.below(200);
    if (kind < 60) insns.push(op([0x0f, 0x1f, 0x5f, 0xaf][kind & 3]!, dst, src, 0, 0));
    else if (kind < 90) insns.push(op([0x07, 0x57, 0xb7][kind % 3]!, dst, 0, 0, random.below(8192) - 4096));
    else if (kind < 120) insns.push(op([0x0c, 0xbc, 0x24][kind % 3]!, dst, kind % 3 === 2 ? 0 : src, 0, kind % 3 === 2 ? 7 : 0));
    else if (kind < 140) insns.push(op(0x79, dst, 10, -8 * (1 + random.below(8)), 0));
    else if (kind < 160) insns.push(op(0x7b, 10, src, -8 * (1 + random.below(8)), 0));
    else if (kind < 180) insns.push(op([0x15, 0x5d, 0xa5][kind % 3]!, dst, kind % 3 === 1 ? src : 0, -1 - random.below(Math.min(at + 1, 20)), 3));
    else if (kind < 181) insns.push(op(0x25, dst, 0, at + 2 < size - 2 ? 0 : -1, 9));
    else if (kind < 188) insns.push(op(0x85, 0, 0, 0, 16 * random.below(4096)));
    else insns.push(op(0x67, dst, 0, 0, 1 + random.below(62)));
  } // prettier-ignore
  return [...insns, op(0xb7, 0, 0, 0, 0), op(0x95, 0, 0, 0, 0)];
}

/** BPF instructions per second of processor time through the whole pass algorithm, for programs of growing size. */
export default function bench(): void {
  const random = new Random(1);
  let ours = 0;
  console.log('scheme       slots      passes  slots per second  ns per slot and pass');
  for (const tcc of ['transparent', 'mainline']) {
    const profile = parseProfile({ tcc });
    for (const size of SIZES) {
      const input: JitInput = {
        name: 'bench',
        insns: program(size, random),
        subprogs: [{ name: 'bench', start: 0, stackDepth: 64, tailCallReachable: false }],
        verifierZext: true,
        callBase: 0xffffffff80180000n,
        addresses: { perCpuOffset: 0xffffffff81400000n },
      };
      const compile = () => compileProgram(profile, input, { place: () => 0xffffffff78000000n });
      const rounds = Math.ceil(WORK / size);
      let best = Infinity;
      for (let attempt = 0; attempt < 5; attempt++) {
        const start = process.cpuUsage();
        for (let i = 0; i < rounds; i++) compile();
        const { user, system } = process.cpuUsage(start);
        best = Math.min(best, (user + system) / 1000);
      }
      const slots = size * rounds;
      if (size === LLC_SIZE) ours = Math.max(ours, (slots / best) * 1000);
      const passes = compile().functions[0]!.passes.passes.length;
      console.log(
        [
          tcc.padEnd(12),
          String(size).padEnd(10),
          String(passes).padEnd(7),
          Math.round((slots / best) * 1000)
            .toLocaleString('en')
            .padEnd(17),
          ((best * 1e6) / slots / passes).toFixed(0),
        ].join(' '),
      );
    }
  }
  const llc = llcSpeed(LLC_SIZE, random);
  console.log(
    llc === undefined
      ? 'llc-19 is not installed: nothing to compare with.'
      : `llc-19 -march=riscv64 -O0: ${Math.round(llc).toLocaleString('en')} LLVM IR instructions per second for ${LLC_SIZE.toLocaleString('en')}; we translate ${(ours / llc).toFixed(1)} times as many BPF instructions.`,
  );
}
