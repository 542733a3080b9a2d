import { EngineError } from '../base/errors';
import type { IsaExtensions } from './profile';

/**
 * Reads `rv64imac[_zba][_zbb][_zacas]`, with or without the letter c.
 * @throws EngineError `usage/isa`
 */
export function parseIsa(text: string): IsaExtensions {
  const [base, ...extensions] = text.toLowerCase().split('_');
  if (base !== 'rv64imac' && base !== 'rv64ima') {
    throw new EngineError(
      'usage/isa',
      `ISA '${text}' is not understood; write rv64imac or rv64ima, then _zba, _zbb, _zacas as wanted.`,
      { isa: text },
    );
  }
  const unknown = extensions.find((name) => !['zba', 'zbb', 'zacas'].includes(name));
  if (unknown !== undefined) {
    throw new EngineError(
      'usage/isa',
      `The JIT knows no use of extension '${unknown}'; the ISA string takes _zba, _zbb and _zacas.`,
      { isa: text, extension: unknown },
    );
  }
  const has = (name: string) => extensions.includes(name);
  return { c: base === 'rv64imac', zba: has('zba'), zbb: has('zbb'), zacas: has('zacas') };
}

/** The ISA string of a profile's extensions, as {@link parseIsa} reads it. */
export function isaText(isa: IsaExtensions): string {
  return [isa.c ? 'rv64imac' : 'rv64ima', isa.zba && 'zba', isa.zbb && 'zbb', isa.zacas && 'zacas']
    .filter(Boolean)
    .join('_');
}
