import { enc } from '../rv64/encode';
import type { PieceRecorder } from './pieces';
import { isCompressedRegister, RV } from './registers';
import type { RuleName } from './rules';

const fitsSigned = (value: number, bits: number): boolean =>
  value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1);

/** True if `value` fits the 12-bit signed immediates of loads, stores and ALU instructions. */
export const isSimm12 = (value: number): boolean => value >= -2048 && value < 2048;
const isSimm6 = (value: number): boolean => value >= -32 && value < 32;

/** A multiple of `step` in 0…`limit`-1; negative displacements never fit a compressed access. */
const isScaled = (value: number, limit: number, step: number): boolean =>
  value >= 0 && value < limit && value % step === 0;

/**
 * Writes code, counted in halfwords as the kernel's `ctx->ninsns`. The methods named after an instruction are the
 * compressing emitters (spec 6.1, `emit_*` in bpf_jit.h): they take the 16-bit form where a rule allows it. What has no
 * such rule goes through {@link emit} in its 32-bit form. Nothing is stored until {@link attach} gives a buffer, so
 * that the sizing passes run the same code.
 */
export class Emitter {
  /** Halfwords emitted so far in this pass. */
  ninsns = 0;
  private code: Uint16Array | null = null;

  /**
   * @param rvc compressed instructions are allowed
   * @param zba @param zbb the CPU has these extensions and the kernel looks for them
   */
  constructor(
    readonly rvc: boolean,
    readonly zba: boolean,
    readonly zbb: boolean,
  ) {}

  /** Set when the last pass is repeated for it: told which rule makes what follows. */
  recorder: PieceRecorder | null = null;

  /**
   * Code goes to `code` from now on, or nowhere; what does not fit is counted and dropped. Halfwords lie in memory as the
   * host's do: little-endian, as everywhere WebAssembly and Electron run.
   */
  attach(code: Uint16Array | null): void {
    this.code = code;
  }

  /** Names the rule that makes what is emitted next. */
  rule(name: RuleName): void {
    if (this.recorder !== null) this.recorder.begin(this.ninsns, name);
  }

  /** Emits a 32-bit instruction (`emit`). */
  emit(word: number): void {
    const code = this.code;
    if (code !== null) {
      code[this.ninsns] = word & 0xffff;
      code[this.ninsns + 1] = word >>> 16;
    }
    this.ninsns += 2;
  }

  /** Emits a 16-bit instruction (`emitc`). */
  emitc(half: number): void {
    if (this.code !== null) this.code[this.ninsns] = half;
    this.ninsns += 1;
  }

  /** Overwrites the 32-bit instruction at halfword `at`, a place held by an earlier {@link emit}. */
  patch(at: number, word: number): void {
    if (this.code !== null) {
      this.code[at] = word & 0xffff;
      this.code[at + 1] = word >>> 16;
    }
  }

  /** An uncompressed nop. */
  nop(): void {
    this.emit(enc.addi(RV.zero, RV.zero, 0));
  }

  jalr(rd: number, rs: number, imm: number): void {
    if (this.rvc && rd === RV.ra && rs !== 0 && imm === 0) this.emitc(enc.c_jalr(rs));
    else if (this.rvc && rd === 0 && rs !== 0 && imm === 0) this.emitc(enc.c_jr(rs));
    else this.emit(enc.jalr(rd, rs, imm));
  }

  mv(rd: number, rs: number): void {
    if (this.rvc && rd !== 0 && rs !== 0) this.emitc(enc.c_mv(rd, rs));
    else this.emit(enc.addi(rd, rs, 0));
  }

  add(rd: number, rs1: number, rs2: number): void {
    if (this.rvc && rd !== 0 && rd === rs1 && rs2 !== 0) this.emitc(enc.c_add(rd, rs2));
    else this.emit(enc.add(rd, rs1, rs2));
  }

  addi(rd: number, rs: number, imm: number): void {
    if (this.rvc && rd === RV.sp && rs === RV.sp && fitsSigned(imm, 10) && imm !== 0 && imm % 16 === 0) {
      this.emitc(enc.c_addi16sp(imm));
    } else if (this.rvc && isCompressedRegister(rd) && rs === RV.sp && imm !== 0 && isScaled(imm, 1024, 4)) {
      this.emitc(enc.c_addi4spn(rd, imm));
    } else if (this.rvc && rd !== 0 && rd === rs && imm !== 0 && isSimm6(imm)) {
      this.emitc(enc.c_addi(rd, imm));
    } else {
      this.emit(enc.addi(rd, rs, imm));
    }
  }

  li(rd: number, imm: number): void {
    if (this.rvc && rd !== 0 && isSimm6(imm)) this.emitc(enc.c_li(rd, imm));
    else this.emit(enc.addi(rd, RV.zero, imm));
  }

  /** @param imm20 the upper immediate as a signed number; its low 20 bits are encoded */
  lui(rd: number, imm20: number): void {
    if (this.rvc && rd !== 0 && rd !== RV.sp && imm20 !== 0 && isSimm6(imm20))
      this.emitc(enc.c_lui(rd, imm20));
    else this.emit(enc.lui(rd, imm20 & 0xfffff));
  }

  slli(rd: number, rs: number, amount: number): void {
    if (this.rvc && rd !== 0 && rd === rs && amount !== 0 && amount < 64) this.emitc(enc.c_slli(rd, amount));
    else this.emit(enc.slli(rd, rs, amount));
  }

  srli(rd: number, rs: number, amount: number): void {
    if (this.rvc && isCompressedRegister(rd) && rd === rs && amount !== 0 && amount < 64) {
      this.emitc(enc.c_srli(rd, amount));
    } else {
      this.emit(enc.srli(rd, rs, amount));
    }
  }

  srai(rd: number, rs: number, amount: number): void {
    if (this.rvc && isCompressedRegister(rd) && rd === rs && amount !== 0 && amount < 64) {
      this.emitc(enc.c_srai(rd, amount));
    } else {
      this.emit(enc.srai(rd, rs, amount));
    }
  }

  andi(rd: number, rs: number, imm: number): void {
    if (this.rvc && isCompressedRegister(rd) && rd === rs && isSimm6(imm)) this.emitc(enc.c_andi(rd, imm));
    else this.emit(enc.andi(rd, rs, imm));
  }

  /** Both registers among the eight, and the destination is the first operand. */
  private compressesPair(rd: number, rs1: number, rs2: number): boolean {
    return this.rvc && rd === rs1 && isCompressedRegister(rd) && isCompressedRegister(rs2);
  }

  sub(rd: number, rs1: number, rs2: number): void {
    if (this.compressesPair(rd, rs1, rs2)) this.emitc(enc.c_sub(rd, rs2));
    else this.emit(enc.sub(rd, rs1, rs2));
  }

  subw(rd: number, rs1: number, rs2: number): void {
    if (this.compressesPair(rd, rs1, rs2)) this.emitc(enc.c_subw(rd, rs2));
    else this.emit(enc.subw(rd, rs1, rs2));
  }

  and(rd: number, rs1: number, rs2: number): void {
    if (this.compressesPair(rd, rs1, rs2)) this.emitc(enc.c_and(rd, rs2));
    else this.emit(enc.and(rd, rs1, rs2));
  }

  or(rd: number, rs1: number, rs2: number): void {
    if (this.compressesPair(rd, rs1, rs2)) this.emitc(enc.c_or(rd, rs2));
    else this.emit(enc.or(rd, rs1, rs2));
  }

  xor(rd: number, rs1: number, rs2: number): void {
    if (this.compressesPair(rd, rs1, rs2)) this.emitc(enc.c_xor(rd, rs2));
    else this.emit(enc.xor(rd, rs1, rs2));
  }

  addiw(rd: number, rs: number, imm: number): void {
    if (this.rvc && rd !== 0 && rd === rs && isSimm6(imm)) this.emitc(enc.c_addiw(rd, imm));
    else this.emit(enc.addiw(rd, rs, imm));
  }

  lw(rd: number, offset: number, rs: number): void {
    if (this.rvc && rs === RV.sp && rd !== 0 && isScaled(offset, 256, 4)) this.emitc(enc.c_lwsp(rd, offset));
    else if (this.rvc && isCompressedRegister(rd) && isCompressedRegister(rs) && isScaled(offset, 128, 4)) {
      this.emitc(enc.c_lw(rd, rs, offset));
    } else {
      this.emit(enc.lw(rd, rs, offset));
    }
  }

  ld(rd: number, offset: number, rs: number): void {
    if (this.rvc && rs === RV.sp && rd !== 0 && isScaled(offset, 512, 8)) this.emitc(enc.c_ldsp(rd, offset));
    else if (this.rvc && isCompressedRegister(rd) && isCompressedRegister(rs) && isScaled(offset, 256, 8)) {
      this.emitc(enc.c_ld(rd, rs, offset));
    } else {
      this.emit(enc.ld(rd, rs, offset));
    }
  }

  /** Stores register `rs2` at `offset(rs1)`. */
  sw(rs1: number, offset: number, rs2: number): void {
    if (this.rvc && rs1 === RV.sp && isScaled(offset, 256, 4)) this.emitc(enc.c_swsp(rs2, offset));
    else if (this.rvc && isCompressedRegister(rs1) && isCompressedRegister(rs2) && isScaled(offset, 128, 4)) {
      this.emitc(enc.c_sw(rs1, rs2, offset));
    } else {
      this.emit(enc.sw(rs1, rs2, offset));
    }
  }

  /** Stores register `rs2` at `offset(rs1)`. */
  sd(rs1: number, offset: number, rs2: number): void {
    if (this.rvc && rs1 === RV.sp && isScaled(offset, 512, 8)) this.emitc(enc.c_sdsp(rs2, offset));
    else if (this.rvc && isCompressedRegister(rs1) && isCompressedRegister(rs2) && isScaled(offset, 256, 8)) {
      this.emitc(enc.c_sd(rs1, rs2, offset));
    } else {
      this.emit(enc.sd(rs1, rs2, offset));
    }
  }
}
