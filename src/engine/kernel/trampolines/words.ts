import { EngineError } from '../../base/errors';
import type { ModelValue } from '../../jit/trampoline/model';

/** What a list of arguments or a result may be written with. */
export const VALUE_WORDS = 'u8 to u128, s8 to s128, ptr, struct:BYTES';

const INTEGER = /^([us])(8|16|32|64|128)$/;
const STRUCT = /^struct:(\d{1,4})$/;
/** Bytes of the largest struct that is passed by value. */
const LARGEST_STRUCT = 16;

/**
 * Reads arguments of a traced function: `s32, ptr, struct:16`; nothing or `void` for none.
 * @throws EngineError `kernel/trampoline` naming the word that is none
 */
export function parseArguments(text: string): readonly ModelValue[] {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'void') return [];
  return trimmed.split(',').map((word) => parseValue(word.trim()));
}

/** Reads a result: as one argument, or `void`. @throws EngineError `kernel/trampoline` */
export function parseResult(text: string): ModelValue {
  const word = text.trim();
  if (word === 'void' || word === '') return { size: 0, signed: false };
  const value = parseValue(word);
  if (value.isStruct === true || value.size > 8) {
    throw new EngineError(
      'kernel/trampoline',
      `A traced function returns void or up to 64 bits, not ${word}.`,
      { word },
    );
  }
  return value;
}

function parseValue(word: string): ModelValue {
  if (word === 'ptr') return { size: 8, signed: false };
  const [, sign, bits] = INTEGER.exec(word) ?? [];
  if (bits !== undefined) return { size: Number(bits) / 8, signed: sign === 's' };
  const size = Number(STRUCT.exec(word)?.[1] ?? NaN);
  if (size >= 1 && size <= LARGEST_STRUCT) return { size, signed: false, isStruct: true };
  const problem = Number.isNaN(size)
    ? `'${word}' is no type`
    : `A struct of ${size} bytes is not passed by value`;
  throw new EngineError(
    'kernel/trampoline',
    `${problem}; write ${VALUE_WORDS} (1 to ${LARGEST_STRUCT}), separated by commas.`,
    { word },
  );
}

/** The word that {@link parseArguments} and {@link parseResult} read as this value. */
export function valueWord({ size, signed, isStruct }: ModelValue): string {
  if (size === 0) return 'void';
  // Odd sizes are structs, whatever the BTF calls them: they differ in nothing that shows.
  if (isStruct === true || ![1, 2, 4, 8, 16].includes(size)) return `struct:${size}`;
  return `${signed ? 's' : 'u'}${8 * size}`;
}
