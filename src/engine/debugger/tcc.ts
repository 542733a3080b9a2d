import { s64, u64 } from '../base/u64';
import { prologuePiece } from '../jit/lookup';
import { nowhere, type TccHome } from '../jit/tcc/home';
import { schemeOf } from '../jit/tcc/index';
import type { Machine } from '../machine/types';
import { REG } from '../rv64/registers';
import type { CodeFunction } from './code-index';
import type { Frame } from './stack';

/**
 * Where the counter is before the instruction at `offset` of a function executes, by the rules of the profile's
 * scheme and what the JIT recorded about each instruction.
 * @param offset bytes from the image's first byte
 */
export function tccHome(code: CodeFunction, offset: number): TccHome {
  const before = beforeInit(code, offset);
  if (before) return before;
  return schemeOf(code.program.jit.profile).home(code, offset);
}

/** The counter's value and where it was read, for a frame. */
export function readTcc(machine: Machine, frame: Frame): { value: number; where: string } | undefined {
  if (!frame.code || frame.lookup === undefined) return undefined;
  const home = tccHome(frame.code, frame.lookup);
  switch (home.kind) {
    case 'none':
      return undefined;
    case 'register':
      return {
        value: Number(s64(frame.registers[home.register]!)),
        where: `${home.register === REG.a6 ? 'a6' : 's6'}: ${home.why}`,
      };
    case 'slot': {
      const bytes = machine.memory.tryRead(u64(frame.registers[REG.sp]! + BigInt(home.spOffset)), 8);
      if (!bytes) return undefined;
      const value = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true);
      return { value: Number(value), where: `sp+${home.spOffset}: ${home.why}` };
    }
  }
}

/** Up to the instruction that sets it, the counter of an entered program does not exist. */
function beforeInit(code: CodeFunction, offset: number): TccHome | undefined {
  const init = prologuePiece(code.fn, 'tcc/init');
  if (!init || offset >= init.to) return undefined;
  return nowhere('the program has not set its counter yet');
}
