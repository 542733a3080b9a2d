import { describe, expect, it } from 'vitest';
import { EngineError } from '../../base/errors';
import { parseArguments, parseResult, valueWord } from './words';

describe('the words for arguments and results', () => {
  it('are read and written', () => {
    const words = ['u8', 's16', 'u32', 's64', 'u128', 'struct:3', 'struct:16'];
    const values = parseArguments(words.join(' , '));
    expect(values.map(({ size, signed, isStruct = false }) => [size, signed, isStruct])).toEqual([
      [1, false, false],
      [2, true, false],
      [4, false, false],
      [8, true, false],
      [16, false, false],
      [3, false, true],
      [16, false, true],
    ]);
    expect(values.map(valueWord)).toEqual(words);
    expect(parseArguments('ptr')).toEqual([{ size: 8, signed: false }]);
  });

  it.each(['', ' ', 'void'])('%j is nothing', (text) => {
    expect(parseArguments(text)).toEqual([]);
    expect(valueWord(parseResult(text))).toBe('void');
  });

  it.each([
    ['u7', "'u7' is no type"],
    ['u32,', "'' is no type"],
    ['struct:0', 'A struct of 0 bytes'],
    ['struct:17', 'A struct of 17 bytes'],
    ['struct:99999', "'struct:99999' is no type"],
    ['int', "'int' is no type"],
  ])('%j is refused as an argument', (text, part) => {
    expect(() => parseArguments(text)).toThrow(EngineError);
    expect(() => parseArguments(text)).toThrow(part);
  });

  it.each(['u128', 'struct:8', 'u32, u32'])('%j is refused as a result', (text) => {
    expect(() => parseResult(text)).toThrow(EngineError);
  });
});
