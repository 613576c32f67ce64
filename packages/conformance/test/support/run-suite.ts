import type { TestFramework } from '../../src/suite.ts'

/** What became of one test: its full name, and the message that it failed with. */
export interface Outcome {
  readonly name: string
  readonly failure?: string
}

/** Runs what a suite registers, one test after the other, and gives what became of each. */
export async function runSuite(register: (framework: TestFramework) => void): Promise<Outcome[]> {
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
  for (const { name, test } of tests) outcomes.push({ name, ...(await failureOf(test)) })
  return outcomes
}

/** The failures alone, by the name of their test. */
export async function failuresOf(register: (framework: TestFramework) => void): Promise<Record<string, string>> {
  const outcomes = await runSuite(register)
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
