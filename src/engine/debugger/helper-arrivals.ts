import { helperName } from '../bpf/helpers';
import { CALL } from '../bpf/insn';
import type { Kernel } from '../kernel/types';
import type { Machine } from '../machine/types';
import { REG } from '../rv64/registers';
import type { Arrival } from './arrivals';
import type { CodeIndex } from './code-index';

/** A machine that stands in kernel code, and what is known around it. */
interface KernelEntry {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly index: CodeIndex;
}

/** The kernel function whose entry this is; nothing inside one, where a callback or a program returns to. */
export function helperArrivals({ machine, kernel, index }: KernelEntry): readonly Arrival[] {
  const { pc } = machine;
  const symbol = kernel.symbolAt(pc);
  if (symbol && symbol.offset !== 0) return [];
  const name = kernel.trapName(pc) ?? symbol?.name;
  if (name === undefined) return [];
  const args = Array.from({ length: 5 }, (_, i) => machine.getRegister(REG.a0 + i));
  const calledAs = calledBy(machine.getRegister(REG.ra), index);
  const differs = calledAs !== undefined && calledAs !== name;
  return [{ kind: 'helper-call', pc, name, args, ...(differs && { calledAs }) }];
}

/** The helper that the program's own instruction names, before the verifier chose a function for it. */
function calledBy(ra: bigint, index: CodeIndex): string | undefined {
  const code = index.at(ra - 1n);
  if (!code) return undefined;
  const slot = code.map.slotAt(code.offsetOf(ra - 1n));
  const origin = code.program.xlated.origin[code.fn.start + slot];
  const insn = origin && code.program.source.insns[origin.insn];
  return insn?.code === CALL && insn.src === 0 ? helperName(insn.imm) : undefined;
}
