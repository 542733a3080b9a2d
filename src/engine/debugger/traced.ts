import { EngineError } from '../base/errors';
import { parseBtf } from '../btf/parse';
import { MACHINE } from '../elf/machine';
import { readElf } from '../elf/read';
import { loadObject } from '../loader/load';
import type { Traced } from './trampoline-suggestions';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

/**
 * Reads what describes traced functions: BTF as the kernel gives it (/sys/kernel/btf/vmlinux), a kernel image with a .BTF
 * section, or a BPF object whose functions are traced.
 * @param name of the file, for messages
 * @throws EngineError `btf/…`, `elf/…`, `loader/…`; `debugger/btf` for an ELF file without BTF
 */
export function readTraced(bytes: Uint8Array, name: string): Traced {
  if (ELF_MAGIC.some((byte, i) => bytes[i] !== byte)) return { btf: parseBtf(bytes, name).btf };
  const elf = readElf(bytes, name);
  const object = elf.machine === MACHINE.BPF ? loadObject(bytes, name) : undefined;
  const section = elf.sections.find((candidate) => candidate.name === '.BTF' && candidate.bytes.length > 0);
  const btf = object ? object.btf : section && parseBtf(section.bytes).btf;
  if (btf) return { btf, ...(object && { object }) };
  throw new EngineError(
    'debugger/btf',
    `${name} has no BTF; give /sys/kernel/btf/vmlinux of the kernel that is traced, or an object compiled with -g.`,
    { name },
  );
}
