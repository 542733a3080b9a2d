import { ipcMain, type BrowserWindow } from 'electron';
import { CALL_CHANNEL, EVENT_CHANNEL } from '../../shared/channels';
import type { Outcome } from '../../shared/contract';
import type { AppService } from '../app/app-service';
import { isOwnFrame } from './security';

/** Joins the service to the window: requests from our own top frame only, events to the window. */
export function serveIpc(service: AppService, window: BrowserWindow): void {
  ipcMain.handle(
    CALL_CHANNEL,
    (event, method: unknown, params: unknown): Promise<Outcome<unknown>> | Outcome<unknown> => {
      if (!isOwnFrame(event.senderFrame)) {
        return {
          ok: false,
          error: { code: 'usage/sender', message: 'Requests are taken from Hartbeat’s own window only.' },
        };
      }
      return service.call(method, params);
    },
  );
  const stop = service.onEvent((event, payload) => {
    if (!window.isDestroyed()) window.webContents.send(EVENT_CHANNEL, event, payload);
  });
  window.on('closed', () => {
    stop();
    ipcMain.removeHandler(CALL_CHANNEL);
  });
}
