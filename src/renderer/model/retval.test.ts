import { expect, it } from 'vitest';
import { retvalName } from './retval';

it('names what programs return, by type', () => {
  expect(retvalName('xdp', 2)).toBe('XDP_PASS');
  expect(retvalName('xdp', 9)).toBeUndefined();
  expect(retvalName('sched_cls', 2)).toBe('TC_ACT_SHOT');
  expect(retvalName('sched_cls', 0xffffffff)).toBe('TC_ACT_UNSPEC');
  expect(retvalName('socket_filter', 2)).toBeUndefined();
});
