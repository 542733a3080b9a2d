import { EngineError } from '../base/errors';
import type { KernelProgram } from '../kernel/types';
import type { CodeMap } from './code-map';

/** Why a tail call falls through to the next instruction. */
export type RefusalReason = 'index' | 'count' | 'empty-slot';

/** One of the three tests of a tail call: native code that either falls through or leaves to the end of the sequence. */
export interface TailCallCheck {
  readonly reason: RefusalReason;
  /** Addresses, end exclusive. */
  readonly from: bigint;
  readonly to: bigint;
}

/** A tail call instruction's native code (spec section 3; emit_bpf_tail_call). */
export interface TailCallSite {
  /** Function-relative xlated slot. */
  readonly slot: number;
  /** Address of its first native instruction: reaching it is the attempt. */
  readonly start: bigint;
  /** Address behind the sequence, where a refused tail call goes on. */
  readonly end: bigint;
  readonly checks: readonly TailCallCheck[];
  /** Address from which on the counter has been lowered. */
  readonly counted: bigint;
  /** Address of the jump to the target: executing it is the tail call. */
  readonly jump: bigint;
}

/** Opcode JMP | 0xf0: a tail call behind the verifier. */
const TAIL_CALL = 0xf5;

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
    const take = pieces.find((piece) => piece.rule === 'tcc/take');
    const checks = pieces.flatMap((piece): TailCallCheck[] => {
      const reason = CHECK_RULES.get(piece.rule);
      return reason ? [{ reason, from: address(piece.from), to: address(piece.to) }] : [];
    });
    if (!jump || !take || checks.length !== CHECK_RULES.size) {
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
      counted: address(take.to),
      jump: address(jump.from),
    });
  }
  return sites;
}
