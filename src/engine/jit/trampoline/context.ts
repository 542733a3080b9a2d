import { EngineError } from '../../base/errors';
import { faultSwitches, type FaultSwitches } from '../../profile/faults';
import { JIT_FACTS, type JitFacts } from '../../profile/jit-facts';
import type { Profile } from '../profile';
import { emitJumpAndLink } from '../branch';
import { Emitter } from '../emit';
import { RV } from '../registers';
import type { RuleName } from '../rules';
import { schemeOf } from '../tcc/index';
import type { TrampolineTcc } from '../tcc/scheme';
import type { UnwindRecorder } from '../unwind';
import { layOutFrame, type TrampolineFrame } from './frame';
import { TRAMP_FLAG, type TrampolineModel } from './model';

/** What a call in a trampoline goes to. */
export type CallKind = 'tramp-enter' | 'tramp-exit' | 'prog-enter' | 'prog-exit' | 'program' | 'original';

export interface CallSite {
  /** Byte offset of the jumping instruction (jal or jalr). */
  readonly at: number;
  readonly kind: CallKind;
  readonly target: bigint;
}

/** What making one trampoline remembers. Positions are halfwords unless they say bytes. */
export class TrampolineContext {
  readonly e: Emitter;
  readonly facts: JitFacts;
  readonly faults: FaultSwitches;
  readonly frame: TrampolineFrame;
  /** The scheme's part, if the target is a BPF program that tail calls can reach. */
  readonly tcc: TrampolineTcc | undefined;
  readonly calls: CallSite[] = [];
  /** Nop and end of each program call, bytes (kernels that detach programs by patching). */
  readonly skips: { readonly nop: number; readonly end: number }[] = [];
  ipAfterCall = -1;
  ipEpilogue = -1;
  unwind: UnwindRecorder | null = null;
  /** The sizing pass has no image: calls take their long form. */
  hasImage = false;

  constructor(
    readonly profile: Profile,
    readonly model: TrampolineModel,
  ) {
    const { isa } = profile;
    this.facts = JIT_FACTS[profile.kernel];
    this.faults = faultSwitches(profile);
    this.e = new Emitter(isa.c, isa.zba && this.facts.usesZba, isa.zbb && this.facts.usesZbb);
    const tcc = schemeOf(profile).trampoline;
    this.tcc = this.has(TRAMP_FLAG.TAIL_CALL_CTX) && tcc.hasSlot ? tcc : undefined;
    this.frame = layOutFrame(model, this.facts, this.tcc !== undefined);
  }

  has(flag: number): boolean {
    return (this.model.flags & flag) !== 0;
  }

  /** Calls `target` (`emit_call` with a fixed address). */
  call(target: bigint, kind: CallKind, rule: RuleName): void {
    const { e, model } = this;
    const distance = this.hasImage
      ? Number(BigInt.asIntN(64, target - model.imageAddress)) - 2 * e.ninsns
      : 0;
    if (!emitJumpAndLink(e, RV.ra, distance, true, rule)) {
      throw new EngineError(
        'jit/range',
        `The trampoline of ${model.name} calls ${distance} bytes away; auipc and jalr reach ±2 GiB. Place it nearer to the kernel.`,
        { function: model.name, distance },
      );
    }
    if (this.hasImage) this.calls.push({ at: 2 * e.ninsns - 4, kind, target });
  }
}
