/** What a session shows, for user interfaces: the engine's view types, and nothing of its values. */
export type * from '../engine/debugger/views';
