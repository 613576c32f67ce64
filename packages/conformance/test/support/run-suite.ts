import type { TestFramework } from '../../src/suite.ts'

/** What became of one test: its full name, and the message that it failed with. */
export interface Outcome {
  readonly name: string
  readonly failure?: string
}

/**
 * Runs what a suite registers, one test after the other, and gives what became of each.
 * @param only Names the tests to run. @default all
 */
export async function runSuite(register: (framework: TestFramework) => void, only = /(?:)/): Promise<Outcome[]> {
  const tests: { name: string; test: () => Promise<void> | void }[] = []
  const path: string[] = []
  register({
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    it(name, test) {
      tests.push({ name: [...path, name].join(' › '), test })
    },
  })
  const outcomes: Outcome[] = []
  for (const { name, test } of tests.filter((one) => only.test(one.name))) outcomes.push({ name, ...(await failureOf(test)) })
  return outcomes
}

/** The failures alone, by the name of their test. */
export async function failuresOf(register: (framework: TestFramework) => void, only?: RegExp): Promise<Record<string, string>> {
  const outcomes = await runSuite(register, only)
  return Object.fromEntries(outcomes.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]])))
}

async function failureOf(test: () => Promise<void> | void): Promise<{ failure?: string }> {
  try {
    await test()
    return {}
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}
