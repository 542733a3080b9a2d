/** ipcMain: one handler a channel, as Electron has it. */
class IpcMain {
  #handlers = new Map();
  handle(channel, handler) {
    if (this.#handlers.has(channel))
      throw new Error(`Attempted to register a second handler for '${channel}'`);
    this.#handlers.set(channel, handler);
  }
  removeHandler(channel) {
    this.#handlers.delete(channel);
  }
  /** What ipcRenderer.invoke of a frame ends in. */
  async dispatch(senderFrame, channel, args) {
    const handler = this.#handlers.get(channel);
    if (!handler) throw new Error(`No handler registered for '${channel}'`);
    return handler({ senderFrame }, ...args);
  }
}

export const ipcMain = new IpcMain();
