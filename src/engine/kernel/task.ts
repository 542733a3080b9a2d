import type { KernelEnv } from './env';
import { THREAD_SIZE } from './addresses';

/** RISC-V registers by number, as far as the kernel model sets them. */
export const REG = {
  ra: 1,
  sp: 2,
  gp: 3,
  tp: 4,
  t0: 5,
  fp: 8,
  s1: 9,
  a0: 10,
  a1: 11,
  a5: 15,
  a6: 16,
  a7: 17,
  s2: 18,
  s11: 27,
  t3: 28,
  t6: 31,
} as const;

/** Registers that a called function may change (psABI): ra, t0–t6, a0–a7. */
export const CALLER_SAVED: readonly number[] = [1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];
/** Registers that a called function must give back: s0–s11. */
const CALLEE_SAVED: readonly number[] = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

const POISON = Array.from({ length: 32 }, (_, register) => 0xdead4ead00000000n | BigInt(register));
/** What a caller-saved register holds after a helper: no value that code could mistake for its own. */
export const helperPoison = (register: number): bigint => POISON[register]!;
/** What the kernel's own code "holds" in a callee-saved register when it enters a program. */
const callerValue = (register: number): bigint => 0x5afe5afe00000000n | BigInt(register);

/** Who the current task is; what bpf_get_current_* answer. */
export const CURRENT = { pid: 1000, tgid: 1000, uid: 0, gid: 0, comm: 'hartbeat', cpu: 0 } as const;

/** Functions of the kernel that stand on the stack below a program under test, outermost first. */
export const TEST_RUN_FUNCTIONS: readonly string[] = ['__sys_bpf', 'bpf_prog_test_run', 'bpf_test_run'];

/** The running task: task_struct, its kernel stack, and the CPU it runs on. */
export class CurrentTask {
  /** Address of the task_struct; tp points here. */
  readonly address: bigint;
  /** Lowest address of the kernel stack. */
  readonly stack: bigint;
  /** sp when a program is entered. */
  readonly stackTop: bigint;
  /** Where a program under test returns to: the trap that ends a run. */
  readonly exitPoint: bigint;

  constructor(private readonly env: KernelEnv) {
    const { structs, space, symbols } = env;
    this.exitPoint = symbols.returnPoint('bpf_test_run');
    this.address = space.kmalloc(structs.size('task_struct'));
    // The gap before it catches overflows, as CONFIG_VMAP_STACK does.
    this.stack = space.vmalloc(THREAD_SIZE, 'kernel stack');
    this.stackTop = this.stack + BigInt(THREAD_SIZE - 288);
    structs.set(this.address, 'thread_info.cpu', CURRENT.cpu);
    structs.set(this.address, 'task_struct.stack', this.stack);
    structs.set(this.address, 'task_struct.pid', CURRENT.pid);
    structs.set(this.address, 'task_struct.tgid', CURRENT.tgid);
    structs.set(this.address, 'task_struct.group_leader', this.address);
    structs.set(this.address, 'task_struct.real_parent', this.address);
    structs.setText(this.address, 'task_struct.comm', CURRENT.comm);
  }

  /**
   * Sets registers and stack as the kernel has them when bpf_test_run() calls the program: arguments in a0 and a1, ra at the trap
   * that ends the run, a chain of frames below, recognisable values in the callee-saved registers.
   */
  enter(entry: bigint, a0: bigint, a1: bigint): void {
    const { machine, memory, symbols } = this.env;
    let sp = this.stackTop;
    let fp = 0n;
    let ra = 0n;
    for (const name of TEST_RUN_FUNCTIONS) {
      sp -= 32n;
      memory.writeU64(sp + 24n, ra);
      memory.writeU64(sp + 16n, fp);
      fp = sp + 32n;
      ra = symbols.returnPoint(name);
    }
    for (const register of CALLER_SAVED) machine.setRegister(register, helperPoison(register));
    for (const register of CALLEE_SAVED) machine.setRegister(register, callerValue(register));
    machine.setRegister(REG.ra, ra);
    machine.setRegister(REG.sp, sp);
    machine.setRegister(REG.gp, symbols.perCpuOffset + 0x800n);
    machine.setRegister(REG.tp, this.address);
    machine.setRegister(REG.fp, fp);
    machine.setRegister(REG.a0, a0);
    machine.setRegister(REG.a1, a1);
    machine.pc = entry;
  }
}
