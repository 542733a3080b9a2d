import { EngineError } from '../base/errors';
import { s64 } from '../base/u64';
import { TAIL_CALL } from '../bpf/insn';
import type { KernelProgram } from '../kernel/types';
import type { Machine } from '../machine/types';
import type { DecodedInsn } from '../rv64/decode';
import type { CodeMap } from './code-map';

/** Why a tail call falls through to the next instruction. */
export type RefusalReason = 'index' | 'count' | 'empty-slot';

/** One of the three tests of a tail call. */
export interface TailCallCheck {
  readonly reason: RefusalReason;
  readonly branch: DecodedInsn;
  /** The branch jumps over a far jump to the end, instead of going there itself. */
  readonly inverted: boolean;
}

/** A tail call instruction's native code (spec section 3; emit_bpf_tail_call). */
export interface TailCallSite {
  /** Function-relative xlated slot. */
  readonly slot: number;
  /** Address of its first native instruction: reaching it is the attempt. */
  readonly start: bigint;
  /** Address behind the sequence, where a refused tail call goes on. */
  readonly end: bigint;
  /** In the order in which they are made. */
  readonly checks: readonly TailCallCheck[];
  /** Address of the jump to the target: executing it is the tail call. */
  readonly jump: bigint;
}

/** The JIT rules whose code decides whether a tail call is taken. */
const CHECK_RULES: ReadonlyMap<string, RefusalReason> = new Map([
  ['tail-call/bounds', 'index'],
  ['tcc/test', 'count'],
  ['tail-call/empty-slot', 'empty-slot'],
]);

/**
 * The tail call instructions of a function, found by the records that the JIT made while it emitted them.
 * @throws EngineError `debugger/tail-call` when those records do not describe a whole sequence: a defect of the JIT.
 */
export function findTailCallSites(program: KernelProgram, map: CodeMap): TailCallSite[] {
  const { fn } = map;
  const sites: TailCallSite[] = [];
  for (let slot = 0; slot < map.slotCount; slot++) {
    if (program.xlated.insns[fn.start + slot]?.code !== TAIL_CALL) continue;
    const address = (offset: number) => fn.base + BigInt(offset);
    const pieces = map.piecesOf(slot);
    const jump = pieces.find((piece) => piece.rule === 'tail-call/jump');
    const checks = pieces.flatMap(({ rule, from, to }) => checkOf(map, CHECK_RULES.get(rule), from, to));
    if (!jump || checks.length !== CHECK_RULES.size) {
      throw new EngineError(
        'debugger/tail-call',
        `The JIT's records of the tail call at slot ${slot} of ${fn.name} are not complete; please report this.`,
        { function: fn.name, slot },
      );
    }
    sites.push({
      slot,
      start: address(map.startOf(slot)),
      end: address(map.endOf(slot)),
      checks,
      jump: address(jump.from),
    });
  }
  return sites;
}

function checkOf(map: CodeMap, reason: RefusalReason | undefined, from: number, to: number): TailCallCheck[] {
  if (!reason) return [];
  for (let at = from; at < to;) {
    const native = map.nativeAt(at);
    if (!native?.insn) return [];
    at += native.size;
    if (native.insn.base.format === 'branch') return [{ reason, branch: native.insn, inverted: at < to }];
  }
  return [];
}

/**
 * Why a tail call that has gone to its end was refused: the first test whose branch leads there with the registers as they
 * are. No instruction between a test and the end changes what the tests before it have read.
 */
export function refusalReason(site: TailCallSite, machine: Machine): RefusalReason | undefined {
  return site.checks.find(({ branch, inverted }) => branches(branch, machine) !== inverted)?.reason;
}

function branches({ base, rs1, rs2 }: DecodedInsn, machine: Machine): boolean {
  const a = machine.getRegister(rs1);
  const b = machine.getRegister(rs2);
  switch (base.mnemonic) {
    case 'beq':
      return a === b;
    case 'bne':
      return a !== b;
    case 'blt':
      return s64(a) < s64(b);
    case 'bge':
      return s64(a) >= s64(b);
    case 'bltu':
      return a < b;
    case 'bgeu':
      return a >= b;
    default:
      return false;
  }
}
