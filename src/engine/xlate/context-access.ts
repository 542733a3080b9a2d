import { EngineError } from '../base/errors';
import { BPF_ALU_OP, BPF_CLASS, BPF_MODE, BPF_SIZE, type BpfInsn } from '../bpf/insn';
import { printInsn } from '../bpf/print';
import type { Code, Patch } from './code';
import type { ContextRules, Conversion, ConversionInput } from './context';
import { contextRules } from './contexts';
import { PROG } from './context';
import { SOCK_COMMON_RULES, SOCKET_RULES } from './ctx-sock';
import { alu32Imm, alu64Imm, movsx64 } from './emit';
import type { Rewrite } from './rewrite';
import { packetWritePrologue } from './packet-prologue';
import type { RegType } from './verify/reg';
import { accessSize, insnClass, insnMode } from './verify/liveness';

/**
 * Accesses to the context and to sockets become accesses to the kernel's objects (spec 9.7, convert_ctx_accesses); loads
 * through kernel pointers that may fault are marked for fault handling.
 */
export function convertContextAccesses(code: Code, rewrite: Rewrite): void {
  if (rewrite.writesPacket && needsPrologue(rewrite.progType)) {
    const prologue = packetWritePrologue(rewrite);
    const insns = [...prologue, code.at(0).insn];
    code.apply(new Map([[0, { insns, rule: 'packet-write-prologue', entry: prologue.length }]]));
  }
  const patches = new Map<number, Patch>();
  for (let i = 0; i < code.length; i++) {
    const { insn, facts } = code.at(i);
    if (code.isSecondHalf(i)) continue;
    const group = insnClass(insn.code);
    const mode = insnMode(insn.code);
    const loads = group === BPF_CLASS.LDX && (mode === BPF_MODE.MEM || mode === BPF_MODE.MEMSX);
    const stores = (group === BPF_CLASS.ST || group === BPF_CLASS.STX) && mode === BPF_MODE.MEM;
    if (!loads && !stores) continue;
    if (facts.pointer === 'btf') {
      if (loads) probe(code, i);
      continue;
    }
    const rules = rulesFor(facts.pointer, rewrite.progType);
    if (!rules?.convert) continue;
    patches.set(i, { insns: convert(code, i, rules, rules.convert, stores, rewrite), rule: 'ctx-access' });
  }
  code.apply(patches);
}

const needsPrologue = (progType: number): boolean =>
  progType === PROG.SCHED_CLS || progType === PROG.SCHED_ACT || progType === PROG.LWT_XMIT;

function probe(code: Code, index: number): void {
  const slot = code.at(index);
  slot.insn = { ...slot.insn, code: probing(slot.insn.code) };
  slot.origin = { insn: slot.origin.insn, rule: 'probe-load' };
}

/** MEM becomes PROBE_MEM, MEMSX becomes PROBE_MEMSX. */
const probing = (code: number): number =>
  (code & ~0xe0) | (insnMode(code) === BPF_MODE.MEMSX ? BPF_MODE.PROBE_MEMSX : BPF_MODE.PROBE_MEM);

function rulesFor(pointer: RegType | undefined, progType: number): ContextRules | undefined {
  switch (pointer) {
    case 'ctx':
      return contextRules(progType);
    case 'socket':
      return SOCKET_RULES;
    case 'sock-common':
      return SOCK_COMMON_RULES;
    default:
      return undefined;
  }
}

function convert(
  code: Code,
  index: number,
  rules: ContextRules,
  toKernel: (input: ConversionInput) => Conversion | undefined,
  write: boolean,
  rewrite: Rewrite,
): BpfInsn[] {
  const { insn, facts, origin } = code.at(index);
  const { ctxFieldSize } = facts;
  const size = accessSize(insn.code);
  const signed = insnMode(insn.code) === BPF_MODE.MEMSX;
  const narrower = size < ctxFieldSize;
  let access = insn;
  if (narrower) {
    const whole = ctxFieldSize <= 2 ? BPF_SIZE.H : ctxFieldSize === 4 ? BPF_SIZE.W : BPF_SIZE.DW;
    access = {
      ...insn,
      off: insn.off & ~(wholeSize(ctxFieldSize) - 1),
      code: BPF_CLASS.LDX | BPF_MODE.MEM | whole,
    };
  }
  const refuse = (why: string): never => {
    const text = printInsn([insn], 0);
    throw new EngineError('xlate/context', `Instruction ${origin.insn} (${text}): ${why}.`, {
      insn: origin.insn,
      text,
    });
  };
  const conversion = toKernel({
    insn: access,
    write,
    port: rewrite.port,
    facts: rewrite.facts,
    knowsTimestampType: rewrite.knowsTimestampType,
    progType: rewrite.progType,
    field: (name) =>
      rewrite.port.field(name)?.offset ??
      refuse(`the kernel layout of this profile does not know the field ${name}`),
  });
  if (!conversion) return refuse(`no field of ${rules.what} begins at offset ${access.off}`);
  const insns = [...conversion.insns];
  if (narrower && size < conversion.targetSize) {
    const shift = (insn.off & (wholeSize(ctxFieldSize) - 1)) * 8;
    if (shift > 0) {
      insns.push(
        ctxFieldSize <= 4
          ? alu32Imm(BPF_ALU_OP.RSH, insn.dst, shift)
          : alu64Imm(BPF_ALU_OP.RSH, insn.dst, shift),
      );
    }
    insns.push(alu32Imm(BPF_ALU_OP.AND, insn.dst, Number(BigInt.asIntN(32, (1n << BigInt(size * 8)) - 1n))));
  }
  if (signed) insns.push(movsx64(insn.dst, insn.dst, size * 8));
  return insns;
}

/** Bytes of the load that stands in for a narrower one (bpf_ctx_off_adjust_machine). */
const wholeSize = (fieldSize: number): number => (fieldSize <= 4 ? fieldSize : 8);
