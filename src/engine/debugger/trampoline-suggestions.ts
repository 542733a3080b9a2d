import { EngineError } from '../base/errors';
import type { Btf } from '../btf/types';
import { functionModel, prototypeModel, type FunctionModel } from '../kernel/trampolines/function-model';
import { attachKind, programTraits, type AttachKind } from '../kernel/trampolines/kinds';
import { valueWord } from '../kernel/trampolines/words';
import type { BpfObject, BpfProgram } from '../loader/object';
import type { Profile } from '../jit/profile';
import { buildWorld } from './build';
import type { TrampolineSpec, TrampolineSuggestion, TrampolineTarget } from './views';

/** A program and what it wants to be attached to. */
interface Wanted {
  readonly program: BpfProgram;
  readonly kind: AttachKind;
  readonly function: string;
}

/** Whether a trampoline could run the program. */
export const hasTrampoline = (program: BpfProgram): boolean => attachKind(program) !== undefined;

/** Which programs' trampolines are wanted. */
export interface SuggestionRequest {
  readonly object: BpfObject;
  readonly profile: Profile;
  /** Names of programs; all that trampolines run when absent. */
  readonly programs?: readonly string[];
  /** What describes the traced functions; the object's own BTF is asked first. */
  readonly traced?: Traced;
  /** Traced instead of what the sections name. */
  readonly function?: string;
}

/** The kernel's BTF, or a BPF object whose functions are traced. */
export interface Traced {
  readonly btf: Btf;
  readonly object?: BpfObject;
}

/**
 * The trampolines that programs of an object want, one for each traced function, in the order of the object.
 * @throws EngineError `debugger/trampoline` for a program that no trampoline runs or whose section names no function,
 *   `kernel/trampoline` for a function that the kernel attaches nothing to
 */
export function suggestedTrampolines(request: SuggestionRequest): TrampolineSuggestion[] {
  const { object, programs: names } = request;
  const programs = names
    ? object.programs.filter(({ name }) => names.includes(name))
    : object.programs.filter(hasTrampoline);
  return byFunction(programs.map((program) => wantedBy(request, program))).map((wanted) =>
    suggestion(request, wanted),
  );
}

/**
 * All trampolines that programs of an object want, to choose from: a function that cannot be traced is there with the
 * sentence that says why, programs that name no function are left out.
 */
export function offeredTrampolines(object: BpfObject, profile: Profile): TrampolineSuggestion[] {
  const request = { object, profile };
  const wanted = object.programs.filter(hasTrampoline).flatMap((program) =>
    unlessRefused<Wanted[]>(
      () => [wantedBy(request, program)],
      () => [],
    ),
  );
  return byFunction(wanted).map((group) =>
    unlessRefused(
      () => suggestion(request, group),
      ({ message }) => ({ spec: specOf(request, group), problem: message }),
    ),
  );
}

function unlessRefused<T>(make: () => T, otherwise: (error: EngineError) => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof EngineError) return otherwise(error);
    throw error;
  }
}

/** In the order in which the functions occur first. */
function byFunction(wanted: readonly Wanted[]): Wanted[][] {
  const groups = new Map<string, Wanted[]>();
  for (const one of wanted) {
    const others = groups.get(one.function);
    if (others) others.push(one);
    else groups.set(one.function, [one]);
  }
  return [...groups.values()];
}

function wantedBy({ object, ...request }: SuggestionRequest, program: BpfProgram): Wanted {
  const kind = attachKind(program);
  const { name, section, attachTo } = program;
  const refuse = (why: string): never => {
    throw new EngineError('debugger/trampoline', `Program ${name} (section ${section}) ${why}`, {
      program: name,
    });
  };
  if (kind === undefined) {
    return refuse(
      `is a ${program.type.name} program, which no trampoline runs; fentry, fexit, fmod_ret, lsm and struct_ops programs are run by one.`,
    );
  }
  if (kind === 'struct_ops') {
    const member = membersOf(object).find(({ program: target }) => target === name);
    return member
      ? { program, kind, function: member.name }
      : refuse('is no member of a struct_ops variable of this object; assign it to one.');
  }
  if (request.function !== undefined) return { program, kind, function: request.function };
  if (attachTo === undefined || attachTo === '') {
    return refuse(`names no function; write ${section}/FUNCTION as section name.`);
  }
  return { program, kind, function: kind === 'lsm' ? `bpf_lsm_${attachTo}` : attachTo };
}

/** Members of all struct_ops variables: `tcp_congestion_ops.ssthresh`. */
const membersOf = ({ structOps = [] }: BpfObject) =>
  structOps.flatMap(({ type, members }) =>
    members.map(({ name, ...member }) => ({ ...member, member: name, name: `${type}.${name}` })),
  );

function suggestion(request: SuggestionRequest, wanted: readonly Wanted[]): TrampolineSuggestion {
  const { object, traced } = request;
  const model = modelOf(request, wanted[0]!);
  const spec = specOf(request, wanted, model);
  if (model) return { spec, prototype: model.prototype };
  const where = traced
    ? `Neither the given BTF nor that of ${object.name} describes`
    : `The BTF of ${object.name} does not describe`;
  return { spec, problem: `${where} ${spec.function}: its arguments and result are not known.` };
}

function specOf(
  request: SuggestionRequest,
  wanted: readonly Wanted[],
  model?: FunctionModel,
): TrampolineSpec {
  const name = wanted[0]!.function;
  return {
    function: name,
    target: targetOf(request, name),
    args: (model?.args ?? GUESS).map(valueWord).join(', '),
    result: valueWord(model?.result ?? GUESS[0]),
    programs: wanted.map(({ program, kind }) => {
      const { sleepable, ip, sessionCookie } = programTraits(program);
      return {
        kind,
        name: program.name,
        ...(sleepable && { sleepable }),
        ...(ip && { ip }),
        ...(sessionCookie && kind === 'fsession' && { sessionCookie }),
      };
    }),
  };
}

/** What stands for arguments and result that nothing describes. */
const GUESS = [{ size: 8, signed: false }] as const;

function modelOf({ object, traced }: SuggestionRequest, wanted: Wanted): FunctionModel | undefined {
  const { btf } = object;
  if (wanted.kind === 'struct_ops') {
    const member = membersOf(object).find(({ program }) => program === wanted.program.name);
    return btf && member && prototypeModel(btf, member.btfId, member.member);
  }
  return (
    (btf && functionModel(btf, wanted.function)) ?? (traced && functionModel(traced.btf, wanted.function))
  );
}

/** What a function is that programs trace: one of the objects', or else the kernel's. */
function targetOf({ object, traced, profile }: SuggestionRequest, name: string): TrampolineTarget {
  for (const holder of traced?.object ? [traced.object, object] : [object]) {
    const target = bpfTarget(holder, profile, name);
    if (target) return target;
  }
  return 'kernel';
}

/** What the function of this name is among those of an object that can be traced; undefined when it has none. */
export function bpfTarget(object: BpfObject, profile: Profile, name: string): TrampolineTarget | undefined {
  const owner = object.programs.find(
    (program) => !hasTrampoline(program) && program.functions.some((fn) => fn.name === name),
  );
  return owner && (reachesTailCalls(object, profile, owner, name) ? 'bpf-tail-calls' : 'bpf');
}

/** What the kernel notes when it loads the traced program (aux->tail_call_reachable). */
function reachesTailCalls(object: BpfObject, profile: Profile, owner: BpfProgram, name: string): boolean {
  // A program that is refused has no trampoline on it either; whoever looks at one all the same can say what it is.
  return unlessRefused(
    () => {
      const { program } = buildWorld({ object, profile, program: owner.name, timing: 'none' });
      return program.xlated.functions.some((fn) => fn.name === name && fn.tailCallReachable);
    },
    () => false,
  );
}
