/** Numbers and names of control and status registers (Privileged ISA, "CSR Listing"). */

/** counter3 … counter31, at `first` + 3 and so on. */
function counters(first: number, name: string): [number, string][] {
  return Array.from({ length: 29 }, (_, index) => [first + index + 3, `${name}${index + 3}`]);
}

const NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  // Unprivileged
  [0x001, 'fflags'],
  [0x002, 'frm'],
  [0x003, 'fcsr'],
  [0x008, 'vstart'],
  [0x009, 'vxsat'],
  [0x00a, 'vxrm'],
  [0x00f, 'vcsr'],
  [0x015, 'seed'],
  [0xc00, 'cycle'],
  [0xc01, 'time'],
  [0xc02, 'instret'],
  ...counters(0xc00, 'hpmcounter'),
  [0xc20, 'vl'],
  [0xc21, 'vtype'],
  [0xc22, 'vlenb'],
  // Supervisor
  [0x100, 'sstatus'],
  [0x104, 'sie'],
  [0x105, 'stvec'],
  [0x106, 'scounteren'],
  [0x10a, 'senvcfg'],
  [0x140, 'sscratch'],
  [0x141, 'sepc'],
  [0x142, 'scause'],
  [0x143, 'stval'],
  [0x144, 'sip'],
  [0x14d, 'stimecmp'],
  [0x180, 'satp'],
  // Machine
  [0xf11, 'mvendorid'],
  [0xf12, 'marchid'],
  [0xf13, 'mimpid'],
  [0xf14, 'mhartid'],
  [0xf15, 'mconfigptr'],
  [0x300, 'mstatus'],
  [0x301, 'misa'],
  [0x302, 'medeleg'],
  [0x303, 'mideleg'],
  [0x304, 'mie'],
  [0x305, 'mtvec'],
  [0x306, 'mcounteren'],
  [0x30a, 'menvcfg'],
  [0x320, 'mcountinhibit'],
  ...counters(0x320, 'mhpmevent'),
  [0x340, 'mscratch'],
  [0x341, 'mepc'],
  [0x342, 'mcause'],
  [0x343, 'mtval'],
  [0x344, 'mip'],
  [0xb00, 'mcycle'],
  [0xb02, 'minstret'],
  ...counters(0xb00, 'mhpmcounter'),
]);

const NUMBERS: ReadonlyMap<string, number> = new Map([...NAMES].map(([number, name]) => [name, number]));

/** The counters that unprivileged code reads. */
export const CSR = { cycle: 0xc00, time: 0xc01, instret: 0xc02 } as const;

/** All CSRs that have a name here: pairs of number and name. */
export const NAMED_CSRS: readonly (readonly [number: number, name: string])[] = [...NAMES];

/** The CSR's name, or its number in hexadecimal. */
export function csrName(number: number): string {
  return NAMES.get(number) ?? '0x' + number.toString(16);
}

/** The number of the CSR called `name`, undefined when there is no such name. */
export function findCsr(name: string): number | undefined {
  return NUMBERS.get(name);
}
