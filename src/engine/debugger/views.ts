/**
 * What a session shows: plain data that crosses to a window, the CLI or another client as it is. 64-bit values are `0x…` strings
 * here (hex64), bytes lower-case hex; everything is JSON. One file an area, types alone: nothing of them is there at run time.
 */
export type * from './views/object';
export type * from './views/session';
export type * from './views/listing';
export type * from './views/state';
export type * from './views/breakpoints';
export type * from './views/compare';
export type * from './views/passes';
export type * from './views/trampoline';
export type * from './views/pipeline';
