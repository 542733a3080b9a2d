import { createFakeTransport } from './fake-transport';
import { sampleInfo } from './sample-views';

/** The window over the fake debugger, for work on its looks: `npx vite src/renderer`, then /testing/preview.html. */
const fake = createFakeTransport();
if (!location.search.includes('start')) {
  fake.handle('app.info', () => ({ ...sampleInfo, initial: { example: 'tailcall_dispatch' } }));
}
Object.assign(window, { hartbeat: fake });
void import('../main');
