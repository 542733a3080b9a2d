import { expect, describe, test } from 'vitest';
import { disagreements } from '../rv64/testing/agreement';
import { findLlvmObjdump } from '../rv64/testing/objdump';
import { recordedFunctions, recordedTrampolines } from './testing/recorded';

const BASE = 0xffffffff78000000n;

/** Images of the recorded selection, one behind the other: every rule of the JIT under every profile in which it occurs. */
function allImages(): Uint8Array {
  const images = [
    // The tail of a buffer may hold what an earlier pass left there; what counts is the last pass.
    ...recordedFunctions().map(({ fn }) => fn.image.subarray(0, fn.finalLen)),
    ...recordedTrampolines().map(({ trampoline }) => trampoline.image),
  ];
  const bytes = new Uint8Array(images.reduce((length, image) => length + image.length, 0));
  let at = 0;
  for (const image of images) {
    bytes.set(image, at);
    at += image.length;
  }
  return bytes;
}

const tool = findLlvmObjdump();

if (tool === undefined) {
  test.skip('SKIPPED: llvm-objdump-19 is not installed, so nothing compares our disassembly of images with it', () =>
    undefined);
}

describe.skipIf(tool === undefined)('LLVM disassembles our images as we do', () => {
  const bytes = allImages();
  test.each([true, false])('pseudo-instructions: %s', (aliases) => {
    expect(bytes.length).toBeGreaterThan(200_000);
    expect(disagreements(bytes, BASE, aliases)).toEqual([]);
  });
});
