import { appendFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends a run with one plain line, "11 passed, 0 failed, 0 skipped". The file that CONFINE_TEST_COUNTS names gets it too, before it a
 * line for each failure: .ci/run repeats them at its end, where they are read.
 */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]) {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    const failures = errors.map((error) => described('outside of every test', error))
    for (const module of modules) {
      // A file that cannot be loaded holds no test, and is a failure all the same.
      if (module.errors().length > 0) counts.failed++
      failures.push(...module.errors().map((error) => described(module.relativeModuleId, error)))
      for (const test of module.children.allTests()) {
        counts[test.result().state]++
        for (const error of test.result().errors ?? []) failures.push(described(`${module.relativeModuleId} > ${test.fullName}`, error))
      }
    }
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
    console.log(line)
    if (process.env.CONFINE_TEST_COUNTS) appendFileSync(process.env.CONFINE_TEST_COUNTS, `${[...failures, line].join('\n')}\n`)
  }
}

/** One line: a failure must not look like a line of counts, nor break into several lines. */
function described(where: string, error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message ?? error
  return `FAIL ${where}: ${String(message).replace(/\s+/g, ' ').slice(0, 1_000)}`
}
