import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import type { Btf, BtfType } from '../../btf/types';
import { functionModel } from './function-model';
import { valueWord } from './words';

type Param = readonly [name: string, type: number];

const TYPES: readonly Omit<BtfType, 'id'>[] = [
  { kind: 'void', name: 'void' },
  { kind: 'int', name: 'int', size: 4, int: int(true, 32) },
  { kind: 'int', name: 'unsigned char', size: 1, int: int(false, 8) },
  { kind: 'int', name: '__int128', size: 16, int: int(true, 128) },
  { kind: 'ptr', name: '', type: 0 },
  { kind: 'struct', name: 'pair', size: 16, members: [] },
  { kind: 'struct', name: 'large', size: 17, members: [] },
  { kind: 'struct', name: 'empty', size: 0, members: [] },
  { kind: 'union', name: 'either', size: 4, members: [] },
  { kind: 'enum', name: 'color', size: 4, values: [] },
  { kind: 'enum64', name: 'long_color', size: 8, values: [] },
  { kind: 'float', name: 'double', size: 8 },
  { kind: 'typedef', name: 'pair_t', type: 5 },
  { kind: 'const', name: '', type: 12 },
  { kind: 'array', name: '', array: { type: 1, indexType: 1, length: 2 } },
];
const at = (name: string): number => TYPES.findIndex((type) => type.name === name);
const [INT, BYTE, POINTER, CONST_PAIR] = [at('int'), at('unsigned char'), 4, 13];

function int(signed: boolean, bits: number): NonNullable<BtfType['int']> {
  return { signed, char: false, bool: false, bits, bitOffset: 0 };
}

/** BTF with a function `f` of these types. */
function btfOf(result: number, params: readonly Param[]): Btf {
  const proto = { kind: 'func_proto', name: '', type: result } as const;
  const types = [
    ...TYPES,
    { ...proto, params: params.map(([name, type]) => ({ name, type })) },
    { kind: 'func', name: 'f', type: TYPES.length } as const,
  ];
  return { types: types.map((type, id) => ({ ...type, id })) };
}

describe('the model of a function', () => {
  it('has the sizes of arguments and result behind typedefs and qualifiers', () => {
    const params: Param[] = [
      ['a', INT],
      ['b', BYTE],
      ['p', POINTER],
      ['s', CONST_PAIR],
      ['u', at('either')],
      ['c', at('color')],
      ['l', at('long_color')],
      ['w', at('__int128')],
    ];
    const model = functionModel(btfOf(INT, params), 'f')!;
    expect(model.args.map(valueWord)).toEqual([
      ...['s32', 'u8', 'u64', 'struct:16', 'struct:4', 'u32', 'u64', 's128'],
    ]);
    expect(valueWord(model.result)).toBe('s32');
    expect(model.prototype).toMatch(/^int f\(int a, unsigned char b, void \*p, const pair_t s, /);
  });

  it('may have neither', () => {
    const model = functionModel(btfOf(0, []), 'f')!;
    expect([model.args, model.result.size, model.prototype]).toEqual([[], 0, 'void f(void)']);
  });

  it('is not there for a name that the BTF does not have', () => {
    expect(functionModel(btfOf(0, []), 'g')).toBeUndefined();
  });

  const many = Array.from({ length: 13 }, (_, i): Param => [`a${i}`, INT]);
  it.each([
    ['thirteen arguments', INT, many, 'takes 13 arguments; programs can be attached to functions of up to 12'],
    ['a variable number of them', INT, [['a', INT], ['', 0]], 'takes a variable number of arguments'],
    ['a struct of 17 bytes', INT, [['a', at('large')]], 'takes struct large as argument 1'],
    ['an empty struct', INT, [['a', at('empty')]], 'takes struct empty as argument 1'],
    ['a float', INT, [['a', INT], ['b', at('double')]], 'takes double as argument 2'],
    ['an array', INT, [['a', 14]], 'takes int[2] as argument 1'],
    ['a type that is not there', INT, [['a', 999]], 'takes <no type 999> as argument 1'],
    ['a struct as result', CONST_PAIR, [], 'returns const pair_t'],
    ['a float as result', at('double'), [], 'returns double'],
  ] as const)('is refused for %s', (_, result, params, part) => {
    const make = (): unknown => functionModel(btfOf(result, params), 'f');
    expect(make).toThrow(EngineError);
    expect(make).toThrow(`Function f ${part}`);
  }); // prettier-ignore
});
