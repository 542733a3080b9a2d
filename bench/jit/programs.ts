import type { BpfInsn } from '../../src/engine/bpf/insn';
import type { Random } from '../../src/engine/rv64/testing/random';

/** Makes a program of `size` slots. */
export type MakeProgram = (size: number, random: Random) => BpfInsn[];

const op = (code: number, dst: number, src: number, off: number, imm: number): BpfInsn => ({
  code,
  dst,
  src,
  off,
  imm,
});

/**
 * Programs of arithmetic, constants, memory, calls of helpers and conditional jumps, one slot in ten, all within 20 slots.
 * @param forward of 1,000 slots so many are jumps forward; the other jumps go back
 */
export function mixture(forward: number): MakeProgram {
  return (size, random) => {
    const insns: BpfInsn[] = [];
    const body = size - 2;
    while (insns.length < body) {
      const dst = random.below(6);
      const src = random.below(6);
      const at = insns.length;
      const kind = random.below(1000);
      if (kind < 300) insns.push(op([0x0f, 0x1f, 0x5f, 0xaf][kind & 3]!, dst, src, 0, 0));
      else if (kind < 450) insns.push(op([0x07, 0x57, 0xb7][kind % 3]!, dst, 0, 0, random.below(8192) - 4096));
      else if (kind < 600) insns.push(kind % 3 === 2 ? op(0x24, dst, 0, 0, 7) : op([0x0c, 0xbc][kind % 3]!, dst, src, 0, 0));
      else if (kind < 700) insns.push(op(0x79, dst, 10, -8 * (1 + random.below(8)), 0));
      else if (kind < 800) insns.push(op(0x7b, 10, src, -8 * (1 + random.below(8)), 0));
      else if (kind < 900 - forward) insns.push(op([0x15, 0x5d, 0xa5][kind % 3]!, dst, kind % 3 === 1 ? src : 0, -1 - random.below(Math.min(at + 1, 20)), 3));
      else if (kind < 900) insns.push(op(0x25, dst, 0, Math.min(random.below(20), body - 1 - at), 9));
      else if (kind < 935) insns.push(op(0x85, 0, 0, 0, 16 * random.below(4096)));
      else insns.push(op(0x67, dst, 0, 0, 1 + random.below(62)));
    } // prettier-ignore
    return [...insns, op(0xb7, 0, 0, 0, 0), op(0x95, 0, 0, 0, 0)];
  };
}
