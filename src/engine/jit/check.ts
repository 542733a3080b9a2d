import { BPF_CLASS, BPF_JMP_OP, BPF_MODE, BPF_PSEUDO, CALL, EXIT, LD_IMM64, TAIL_CALL } from '../bpf/insn';
import { unitError } from './context';
import { NO_REGISTER, registerMap } from './registers';
import type { Unit } from './unit';

type Checked = Omit<Unit, 'extableEntries'>;

/**
 * Checks what the passes rely on: registers exist, jumps stay in the function and do not land in the middle of ld_imm64,
 * both of its slots are there. The kernel's verifier has made sure of these long before its JIT runs.
 * @returns the number of instructions that may fault and so get an exception table entry (aux->num_exentries)
 * @throws EngineError `jit/register`, `jit/jump`, `jit/ld-imm64` with slot index and text
 */
export function checkUnit(unit: Checked): number {
  const { code } = unit;
  const { length } = code;
  const registers = registerMap(unit.facts.axRegister);
  const isSecondHalf = new Uint8Array(length);
  let probing = 0;

  for (let i = 0; i < length; i++) {
    const opcode = code.code[i] ?? 0;
    if (opcode === LD_IMM64) {
      if (i + 1 >= length || code.code[i + 1] !== 0) {
        throw unitError(unit, 'jit/ld-imm64', i, 'the second slot of this 64-bit load is missing.');
      }
      checkRegister(unit, registers, i, code.dst[i] ?? 0);
      isSecondHalf[++i] = 1;
      continue;
    }
    if (probes(opcode)) probing++;
    if (namesDst(opcode)) checkRegister(unit, registers, i, code.dst[i] ?? 0);
    checkRegister(unit, registers, i, code.src[i] ?? 0);
  }
  for (let i = 0; i < length; i++) {
    const target = jumpTarget(unit, i);
    if (target === undefined || isSecondHalf[i] === 1) continue;
    if (target < 0 || target >= length) {
      throw unitError(unit, 'jit/jump', i, `the jump leaves the function, which has ${length} slots.`);
    }
    if (isSecondHalf[target] === 1 && unit.surroundings.acceptsStrayJumps !== true) {
      throw unitError(
        unit,
        'jit/jump',
        i,
        `the jump lands in the middle of the 64-bit load at ${unit.start + target - 1}; aim at its first slot or behind it.`,
      );
    }
  }
  return probing;
}

function checkRegister(unit: Checked, registers: Uint8Array, i: number, register: number): void {
  if (registers[register] !== NO_REGISTER) return;
  throw unitError(
    unit,
    'jit/register',
    i,
    `there is no register r${register}; the RV64 JIT knows r0 to r10 and AX, which is r${unit.facts.axRegister}.`,
  );
}

const namesDst = (opcode: number): boolean =>
  opcode !== (BPF_CLASS.JMP | BPF_JMP_OP.JA) && opcode !== CALL && opcode !== EXIT && opcode !== TAIL_CALL;

/** Slot that a jump goes to, relative to the function; undefined for what is no jump. */
function jumpTarget({ code }: Checked, i: number): number | undefined {
  const opcode = code.code[i] ?? 0;
  const cls = opcode & 7;
  if (cls !== BPF_CLASS.JMP && cls !== BPF_CLASS.JMP32) return undefined;
  if (opcode === CALL || opcode === EXIT || opcode === TAIL_CALL) return undefined;
  const long = opcode === (BPF_CLASS.JMP32 | BPF_JMP_OP.JA);
  return i + 1 + ((long ? code.imm[i] : code.off[i]) ?? 0);
}

/** True for loads and stores that the exception table covers. */
function probes(opcode: number): boolean {
  const mode = opcode & 0xe0;
  switch (opcode & 7) {
    case BPF_CLASS.LDX:
      return mode === BPF_MODE.PROBE_MEM || mode === BPF_MODE.PROBE_MEMSX || mode === BPF_MODE.PROBE_MEM32;
    case BPF_CLASS.ST:
      return mode === BPF_MODE.PROBE_MEM32;
    case BPF_CLASS.STX:
      return mode === BPF_MODE.PROBE_MEM32 || mode === BPF_MODE.PROBE_ATOMIC;
    default:
      return false;
  }
}

/** True for the instructions whose callee is a function of the same program: calls and function references. */
export function namesFunction(opcode: number, src: number): boolean {
  return (opcode === CALL && src === BPF_PSEUDO.CALL) || (opcode === LD_IMM64 && src === BPF_PSEUDO.FUNC);
}
