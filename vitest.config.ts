import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'data/**'],
    // What is waited for comes when it comes: these end only what hangs, also on a laden machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000, interval: 20 } },
    pool: 'forks',
    // Most tests wait for processes and lines: leaving a core free, as is the default, gains nothing.
    maxWorkers: '100%',
  },
});
