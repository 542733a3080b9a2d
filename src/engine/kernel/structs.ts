import { EngineError } from '../base/errors';
import type { MachineMemory } from '../machine/types';
import type { Profile } from '../jit/profile';
import { STRUCT_LAYOUTS, type FieldLocation, type StructLayouts } from '../profile/struct-layouts';

/** Reads and writes members of kernel structs in machine memory by name, with the layout of the profile's kernel. */
export class Structs {
  private readonly layouts: StructLayouts;
  private readonly overrides: ReadonlyMap<string, number>;

  constructor(
    readonly memory: MachineMemory,
    profile: Profile,
    layouts?: StructLayouts,
  ) {
    this.layouts = { ...STRUCT_LAYOUTS[profile.kernel], ...layouts };
    // What the JIT bakes into code decides; a recorded kernel may have given other numbers.
    const { layout } = profile;
    this.overrides = new Map([
      ['bpf_map.max_entries', layout.bpfArrayMaxEntries],
      ['bpf_array.ptrs', layout.bpfArrayPtrs],
      ['bpf_array.pptrs', layout.bpfArrayPtrs],
      ['bpf_array.value', layout.bpfArrayPtrs],
      ['bpf_prog.bpf_func', layout.bpfProgBpfFunc],
      ['thread_info.cpu', layout.threadInfoCpu],
      ['htab_elem.key', layout.htabElemKey],
    ]);
  }

  /** The member `struct.member`; undefined when this kernel does not have it. */
  find(name: string): FieldLocation | undefined {
    const [struct, member] = name.split('.');
    const field = this.layouts[struct ?? '']?.fields[member ?? ''];
    return field && { offset: this.overrides.get(name) ?? field[0], size: field[1] };
  }

  /** Bytes from the start of the struct. @throws EngineError `kernel/struct` for a member this kernel does not have. */
  offset(name: string): number {
    return this.located(name).offset;
  }

  /** sizeof(struct) in bytes. @throws EngineError `kernel/struct` */
  size(struct: string): number {
    const shape = this.layouts[struct];
    if (!shape)
      throw new EngineError('kernel/struct', `The layout of struct ${struct} is not known for this kernel.`, {
        struct,
      });
    return shape.size;
  }

  /** The member of the object at `address`, zero-extended. */
  get(address: bigint, name: string): bigint {
    const { offset, size } = this.located(name);
    const at = address + BigInt(offset);
    switch (size) {
      case 1:
        return BigInt(this.memory.readU8(at));
      case 2:
        return BigInt(this.memory.readU16(at));
      case 4:
        return BigInt(this.memory.readU32(at));
      default:
        return this.memory.readU64(at);
    }
  }

  /** As get(), for members of at most 4 bytes. */
  getNumber(address: bigint, name: string): number {
    return Number(this.get(address, name));
  }

  /** Writes the low bytes of `value`; a member that this kernel does not have is passed over. */
  set(address: bigint, name: string, value: bigint | number): void {
    const field = this.find(name);
    if (!field) return;
    const at = address + BigInt(field.offset);
    const wide = BigInt.asUintN(64, BigInt(value));
    switch (field.size) {
      case 1:
        return this.memory.writeU8(at, Number(wide & 0xffn));
      case 2:
        return this.memory.writeU16(at, Number(wide & 0xffffn));
      case 4:
        return this.memory.writeU32(at, Number(wide & 0xffffffffn));
      default:
        return this.memory.writeU64(at, wide);
    }
  }

  /** Writes a text into a char array member, NUL-padded and cut to fit. */
  setText(address: bigint, name: string, text: string): void {
    const field = this.find(name);
    if (!field) return;
    const bytes = new Uint8Array(field.size);
    bytes.set(new TextEncoder().encode(text).subarray(0, field.size - 1));
    this.memory.write(address + BigInt(field.offset), bytes);
  }

  private located(name: string): FieldLocation {
    const field = this.find(name);
    if (!field)
      throw new EngineError('kernel/struct', `This kernel's layout has no member ${name}.`, { member: name });
    return field;
  }
}
