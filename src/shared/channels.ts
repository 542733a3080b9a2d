/** The two IPC channels between window and main process: requests with an answer, and pushed events. */
export const CALL_CHANNEL = 'hartbeat:call';
export const EVENT_CHANNEL = 'hartbeat:event';
