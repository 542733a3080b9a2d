import { BPF_CLASS, BPF_JMP_OP, LD_IMM64, type BpfInsn } from '../../src/engine/bpf/insn';

/** A place that jumps go to. */
export interface Label {
  /** Slot, function-relative; -1 until it is placed. */
  slot: number;
}

/** The slots of one function while it is written; jumps name labels and calls name functions. */
export class FunctionBuilder {
  readonly insns: BpfInsn[] = [];
  private readonly jumps: { readonly slot: number; readonly label: Label; readonly long: boolean }[] = [];
  /** Slots whose imm is to become the distance of a function of the program. */
  readonly references: { readonly slot: number; readonly callee: number }[] = [];

  emit(code: number, dst = 0, src = 0, off = 0, imm = 0): void {
    this.insns.push({ code, dst, src, off, imm });
  }

  /** Both slots of a ld_imm64. */
  loadConstant(dst: number, value: bigint): void {
    this.emit(LD_IMM64, dst, 0, 0, Number(BigInt.asIntN(32, value)));
    this.emit(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
  }

  label(): Label {
    return { slot: -1 };
  }

  place(label: Label): void {
    label.slot = this.insns.length;
  }

  /** A conditional jump or goto by off. */
  jump(code: number, dst: number, src: number, imm: number, label: Label): void {
    this.jumps.push({ slot: this.insns.length, label, long: false });
    this.emit(code, dst, src, 0, imm);
  }

  goto(label: Label): void {
    this.jump(BPF_CLASS.JMP | BPF_JMP_OP.JA, 0, 0, 0, label);
  }

  /** gotol: by imm. */
  gotol(label: Label): void {
    this.jumps.push({ slot: this.insns.length, label, long: true });
    this.emit(BPF_CLASS.JMP32 | BPF_JMP_OP.JA);
  }

  /** A call of, or reference to, function `callee` of the program. */
  reference(code: number, dst: number, src: number, callee: number): void {
    this.references.push({ slot: this.insns.length, callee });
    this.emit(code, dst, src);
  }

  /** Fills in the distances of jumps. */
  finish(): void {
    for (const { slot, label, long } of this.jumps) {
      const distance = label.slot - slot - 1;
      const insn = this.insns[slot]!;
      this.insns[slot] = long ? { ...insn, imm: distance } : { ...insn, off: distance };
    }
  }
}
