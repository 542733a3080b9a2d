import { compileProgram } from '../../src/engine/jit/subprograms';
import { harnessProfile, recipeInput } from '../../src/cli/vectors/harness';
import type { Fields } from '../../src/cli/vectors/fields';
import type { VectorRecord } from '../../src/cli/vectors/records';
import type { ComparedCode } from '../../src/engine/rv64/testing/agreement';

/** A kCFI type word in front of an entry. It is data, which a disassembler would take for an instruction, or the half of one. */
const TYPE_WORD_BYTES = 4;
/** BPF instructions at each end of a recipe that is not taken whole. */
const RECIPE_SLOTS = 200;

/**
 * All native code of a record: the images of functions and trampolines as they were recorded, and patched entries. A recipe,
 * of which only the hash is recorded, is compiled. Without what is no code: type words, and the bytes behind the last
 * instruction that an earlier, longer pass left there.
 * @param wholeRecipes a recipe repeats one BPF instruction ten thousand times; unless told, only its two ends are taken
 */
export function* imagesOf(
  { kind, fields, name }: VectorRecord,
  wholeRecipes: boolean,
): Generator<ComparedCode, void> {
  switch (kind) {
    case 'harness-program':
      yield* harnessFunctions(fields.objects('funcs'), name);
      return;
    case 'tail-call-semantics':
      for (const program of fields.objects('programs'))
        yield* harnessFunctions(program.objects('funcs'), name);
      return;
    case 'recipe':
      yield* recipe(fields, name, wholeRecipes);
      return;
    case 'harness-trampoline':
      if (fields.has('image')) {
        yield codeOf(name, fields.address('image_addr'), fields.bytes('image'), typeWordOf(fields));
      }
      return;
    case 'text-poke':
      if (fields.has('image')) yield codeOf(name, fields.address('ip'), fields.bytes('image'));
      return;
    case 'kernel-case':
      for (const step of fields.objects('steps')) {
        if (step.has('funcs')) yield* kernelFunctions(step, name);
        if (step.has('images')) yield* kernelTrampolines(step.objects('images'), name);
      }
      return;
    case 'object':
      for (const program of fields.objects('progs')) {
        if (program.has('funcs')) yield* kernelFunctions(program, name);
      }
      for (const key of ['trampolines', 'struct_ops_trampolines']) {
        if (fields.has(key)) yield* kernelTrampolines(fields.objects(key), name);
      }
      return;
  }
}

function codeOf(
  label: string,
  address: bigint,
  image: Uint8Array,
  from = 0,
  to = image.length,
): ComparedCode {
  return { label, address: address + BigInt(from), bytes: image.subarray(from, to) };
}

/** Trampolines that are called, not jumped to from a patched entry, begin with one where kCFI is on. */
function typeWordOf(trampoline: Fields): number {
  const { cfi } = harnessProfile(trampoline);
  return cfi && trampoline.flag('struct_ops') && trampoline.has('cfi_hash') ? TYPE_WORD_BYTES : 0;
}

function* harnessFunctions(funcs: readonly Fields[], name: string): Generator<ComparedCode, void> {
  for (const [i, func] of funcs.entries()) {
    const base = func.address('base');
    const entry = func.has('bpf_func') ? Number(func.address('bpf_func') - base) : 0;
    const image = func.bytes('image');
    const end = func.has('final_len') ? func.number('final_len') : image.length;
    yield codeOf(`${name}, function ${i}`, base, image, entry, end);
  }
}

function* recipe(record: Fields, name: string, whole: boolean): Generator<ComparedCode, void> {
  const recorded = record.objects('funcs');
  const { functions } = compileProgram(harnessProfile(record), recipeInput(record, name), {
    place: (index) => recorded[index]?.address('base') ?? 0n,
  });
  for (const { name: function_, base, bpfFunc, image, ends, finalLen } of functions) {
    const label = `${name}, ${function_}`;
    const entry = Number(bpfFunc - base);
    if (whole || ends.length <= 2 * RECIPE_SLOTS) {
      yield codeOf(label, base, image, entry, finalLen);
    } else {
      yield codeOf(`${label}, beginning`, base, image, entry, ends[RECIPE_SLOTS - 1]);
      yield codeOf(`${label}, end`, base, image, ends.at(-RECIPE_SLOTS - 1), finalLen);
    }
  }
}

function* kernelFunctions(load: Fields, name: string): Generator<ComparedCode, void> {
  for (const [i, func] of load.objects('funcs').entries()) {
    if (!func.has('image')) continue; // selections of runs come without
    yield codeOf(`${name}, ${load.text('name')}, function ${i}`, func.address('addr'), func.bytes('image'));
  }
}

function* kernelTrampolines(images: readonly Fields[], name: string): Generator<ComparedCode, void> {
  for (const image of images) {
    yield codeOf(`${name}, trampoline ${image.text('sym')}`, image.address('addr'), image.bytes('image'));
  }
}
