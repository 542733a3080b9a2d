import type { RegisterView } from '../../shared/views';

/** Where a register stands in the order that suits reading BPF code. */
const BPF_ORDER = ['R0', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8', 'R9', 'R10', 'AX'];
/** pc, sp, ra, fp: what stack and control flow are about. */
const CONTROL = [32, 2, 1, 8];

export interface RegisterGroup {
  readonly name: string;
  readonly registers: readonly RegisterView[];
}

/**
 * Registers in groups for reading BPF code: what carries the TCC, what holds BPF registers in their order, what stack and
 * control flow need, the rest by number. Each register is in one group only.
 */
export function registerGroups(
  registers: readonly RegisterView[],
  order: 'bpf' | 'number',
): readonly RegisterGroup[] {
  if (order === 'number') {
    const byNumber = [...registers].sort((a, b) => numberOrder(a) - numberOrder(b));
    return [{ name: 'All registers', registers: byNumber }];
  }
  const left = new Set(registers);
  const take = (name: string, rank: (register: RegisterView) => number): RegisterGroup => {
    const taken = [...left].filter((register) => rank(register) >= 0).sort((a, b) => rank(a) - rank(b));
    for (const register of taken) left.delete(register);
    return { name, registers: taken };
  };
  return [
    take('Tail call counter', (r) => (r.role === 'tcc' ? r.index : -1)),
    take('BPF registers', (r) => (r.bpf === undefined ? -1 : BPF_ORDER.indexOf(r.bpf.toUpperCase()))),
    take('Stack and control flow', (r) => CONTROL.indexOf(r.index)),
    take('Other registers', (r) => (r.index === 0 ? -1 : r.index)),
  ].filter((group) => group.registers.length > 0);
}

/** pc before x0 to x31. */
function numberOrder({ index }: RegisterView): number {
  return index === 32 ? -1 : index;
}

/** One register as text for the clipboard: `a6  0x21  33`. */
export function registerText({ abi, bpf, hex, decimal }: RegisterView): string {
  return [abi.padEnd(4), (bpf ?? '').padEnd(3), hex.padEnd(18), decimal].join(' ');
}

export function registersText(registers: readonly RegisterView[]): string {
  return registers.map(registerText).join('\n');
}
