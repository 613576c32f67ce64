import { defineConfig } from 'vitest/config'

/** Tests read the sources of every package; what a build makes is read by test/packed.test.ts alone. */
const conditions = ['@confine/source', 'module', 'node', 'import', 'default']

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    pool: 'forks',
    // Most of the time is spent waiting for guests.
    maxWorkers: 3,
    // isolated-vm asks for it.
    execArgv: ['--no-node-snapshot'],
    reporters: ['default', './test/counts-reporter.ts'],
    // A test that hangs fails; one that waits for a guest on a busy machine does not.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    coverage: { include: ['packages/*/src/**'], exclude: ['**/*.d.ts'] },
    projects: [
      { extends: true, test: { name: 'packages', include: ['packages/*/test/**/*.test.ts'] } },
      { extends: true, test: { name: 'repository', include: ['test/**/*.test.ts'] } },
      // Longer runs, by `npm run test:soak` alone.
      { extends: true, test: { name: 'soak', include: ['test/soak/**/*.soak.ts'], testTimeout: 30 * 60_000 } },
    ],
  },
})
