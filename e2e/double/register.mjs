import { register } from 'node:module';

// Run as `node --import ./e2e/double/register.mjs out/main/index.js`: the module `electron` becomes the double.
register('./resolve.mjs', import.meta.url);
