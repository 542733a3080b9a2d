import { BPF_CLASS, BPF_JMP_OP, BPF_PSEUDO, CALL, EXIT, LD_IMM64, TAIL_CALL } from '../bpf/insn';
import { unitError } from './context';
import { NO_REGISTER, registerMap } from './registers';
import type { Unit } from './unit';

/**
 * Checks what the passes rely on: registers exist, jumps stay in the function and do not land in the middle of ld_imm64,
 * both of its slots are there. The kernel's verifier has made sure of these long before its JIT runs.
 * @throws EngineError `jit/register`, `jit/jump`, `jit/ld-imm64` with slot index and text
 */
export function checkUnit(unit: Unit): void {
  const { code } = unit;
  const { length } = code;
  const registers = registerMap(unit.facts.axRegister);

  for (let i = 0; i < length; i++) {
    const opcode = code.opcode(i);
    if (opcode === LD_IMM64) {
      if (i + 1 >= length || code.opcode(i + 1) !== 0) {
        throw unitError(unit, 'jit/ld-imm64', i, 'the second slot of this 64-bit load is missing.');
      }
      checkRegister(unit, registers, i, code.dst(i));
      i++;
      continue;
    }
    if (opcode === 0) {
      throw unitError(unit, 'jit/opcode', i, 'unknown opcode; 0 is only the second slot of a 64-bit load.');
    }
    if (namesDst(opcode)) checkRegister(unit, registers, i, code.dst(i));
    checkRegister(unit, registers, i, code.src(i));
  }
  for (let i = 0; i < length; i++) {
    if (code.opcode(i) === LD_IMM64) i++;
    else checkJump(unit, i);
  }
}

function checkJump(unit: Unit, i: number): void {
  const { code } = unit;
  const target = jumpTarget(unit, i);
  if (target === NO_JUMP) return;
  if (target < 0 || target >= code.length) {
    throw unitError(unit, 'jit/jump', i, `the jump leaves the function, which has ${code.length} slots.`);
  }
  // Only second slots of ld_imm64 have opcode 0.
  if (code.opcode(target) === 0 && unit.surroundings.acceptsStrayJumps !== true) {
    throw unitError(
      unit,
      'jit/jump',
      i,
      `the jump lands in the middle of the 64-bit load at ${unit.start + target - 1}; aim at its first slot or behind it.`,
    );
  }
}

function checkRegister(unit: Unit, registers: Uint8Array, i: number, register: number): void {
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

const NO_JUMP = -0x80000000;

/** Slot that a jump goes to, relative to the function; {@link NO_JUMP} for what is no jump. */
function jumpTarget({ code }: Unit, i: number): number {
  const opcode = code.opcode(i);
  const cls = opcode & 7;
  if (cls !== BPF_CLASS.JMP && cls !== BPF_CLASS.JMP32) return NO_JUMP;
  if (opcode === CALL || opcode === EXIT || opcode === TAIL_CALL) return NO_JUMP;
  const long = opcode === (BPF_CLASS.JMP32 | BPF_JMP_OP.JA);
  return i + 1 + (long ? code.imm(i) : code.off(i));
}

/** True for the instructions whose callee is a function of the same program: calls and function references. */
export function namesFunction(opcode: number, src: number): boolean {
  return (opcode === CALL && src === BPF_PSEUDO.CALL) || (opcode === LD_IMM64 && src === BPF_PSEUDO.FUNC);
}
