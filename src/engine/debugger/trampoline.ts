import { EngineError } from '../base/errors';
import { hex64 } from '../base/hex';
import { explainRule } from '../jit/rules';
import { TRAMP_FLAG, type TrampolineModel } from '../jit/trampoline/model';
import { compileTrampoline, type Trampoline } from '../jit/trampoline/trampoline';
import type { FrameSlot } from '../jit/types';
import { TrampolineAddresses } from '../kernel/trampolines/addresses';
import { enterSuffix } from '../kernel/trampolines/kinds';
import { prepareTrampoline, type Attachment } from '../kernel/trampolines/prepare';
import { parseArguments, parseResult } from '../kernel/trampolines/words';
import { profileWords } from '../jit/profile';
import type { Profile } from '../jit/profile';
import { registerName } from '../rv64/registers';
import { trampolineRows } from './trampoline-rows';
import type {
  TrampolineProgramSpec,
  TrampolineProgramView,
  TrampolineSlotView,
  TrampolineSpec,
  TrampolineView,
} from './views';

/** A trampoline with what it was made from and what is shown of it. */
export interface MadeTrampoline {
  readonly model: TrampolineModel;
  readonly trampoline: Trampoline;
  readonly view: TrampolineView;
}

/**
 * Makes the trampoline of a profile's kernel, without a machine.
 * @param given addresses by name that replace the ones taken here (see TrampolineAddresses)
 * @throws EngineError `kernel/trampoline` for what the kernel refuses, `jit/trampoline` and others for what the JIT does
 */
export function makeTrampoline(
  profile: Profile,
  spec: TrampolineSpec,
  given: ReadonlyMap<string, bigint> = new Map(),
): MadeTrampoline {
  const addresses = new TrampolineAddresses(profile.kernel, spec.programs.length, given);
  const target = {
    name: spec.function,
    kind: spec.target,
    args: parseArguments(spec.args),
    result: parseResult(spec.result),
  };
  const model = prepareTrampoline(profile, target, spec.programs.map(attachmentOf), addresses);
  const trampoline = compileTrampoline(profile, model);
  const programs = spec.programs.map((program, i) => programView(program, i + 1, addresses));
  const native = trampolineRows(trampoline, symbols(spec.function, model, programs));
  return {
    model,
    trampoline,
    view: {
      profile: profileWords(profile),
      spec,
      functionAddress: hex64(model.funcAddress),
      entry: entrySentence(model, spec),
      flags: flagNames(model.flags),
      address: hex64(trampoline.address),
      size: trampoline.image.length,
      allocSize: trampoline.allocSize,
      programs,
      native,
      rules: Object.fromEntries(native.map(({ rule }) => [rule, explainRule(rule)])),
      frameSize: trampoline.frame.size,
      slots: trampoline.frame.slots.map(slotView),
    },
  };
}

const COOKIE = /^0x[0-9a-f]{1,16}$/i;

function attachmentOf(spec: TrampolineProgramSpec): Attachment {
  const { kind, sleepable, ip, cookie = '0x0', sessionCookie, interpreted } = spec;
  if (!COOKIE.test(cookie)) {
    throw new EngineError(
      'kernel/trampoline',
      `'${cookie}' is no cookie; write 0x and up to 16 hexadecimal digits.`,
      { cookie },
    );
  }
  return {
    kind,
    sleepable: sleepable === true,
    ip: ip === true,
    cookie: BigInt(cookie),
    sessionCookie: sessionCookie === true,
    interpreted: interpreted === true,
  };
}

function programView(
  spec: TrampolineProgramSpec,
  number: number,
  addresses: TrampolineAddresses,
): TrampolineProgramView {
  const suffix = enterSuffix(spec.kind, spec.sleepable === true);
  return {
    ...spec,
    name: spec.name ?? `${spec.kind}${number}`,
    prog: hex64(addresses.prog(number)),
    bpfFunc: hex64(addresses.bpfFunc(number)),
    enter: `__bpf_prog_enter${suffix}`,
    exit: `__bpf_prog_exit${suffix}`,
  };
}

/** Names of what the trampoline calls, by address. */
function symbols(
  traced: string,
  model: TrampolineModel,
  programs: readonly TrampolineProgramView[],
): (address: bigint) => string | undefined {
  const links = [...model.fentry, ...model.fmodRet, ...model.fexit];
  const names = new Map<bigint, string>([
    [model.trampEnter, '__bpf_tramp_enter'],
    [model.trampExit, '__bpf_tramp_exit'],
    [model.funcAddress, traced],
    [model.funcAddress + 8n, `${traced}+0x8`],
  ]);
  for (const { name, prog, bpfFunc, enter, exit } of programs) {
    const link = links.find((candidate) => hex64(candidate.prog) === prog);
    if (!link) continue;
    names.set(BigInt(bpfFunc), link.jited ? name : '__bpf_prog_run');
    names.set(link.enter, enter);
    names.set(link.exit, exit);
  }
  return (address) => names.get(address);
}

/** Set bits by their names, the lowest first. */
export function flagNames(flags: number): string[] {
  return Object.entries(TRAMP_FLAG).flatMap(([name, bit]) => ((flags & bit) !== 0 ? [name] : []));
}

function entrySentence(
  { structOps, flags, fmodRet }: TrampolineModel,
  { function: name }: TrampolineSpec,
): string {
  if (structOps) return `The kernel calls it in place of ${name}; ra leads back to the kernel.`;
  const entered = `Entered from the patched entry of ${name}: t0 leads back into it, ra to its caller.`;
  if ((flags & TRAMP_FLAG.CALL_ORIG) === 0) return `${entered} Returns into it.`;
  const unless =
    fmodRet.length > 0 ? ', unless a program that may change its result returns something else than 0,' : '';
  return `${entered} Calls ${name} itself${unless} and returns to its caller.`;
}

function slotView({ register, ...slot }: FrameSlot): TrampolineSlotView {
  return { ...slot, ...(register !== undefined && { register: registerName(register) }) };
}
