import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type CoreSandboxOptions, resolveRuntime, Sandbox } from '../src/index.ts'

/** Absolute path of a file in fixtures/. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
}

/** A sandbox without isolation that is torn down when the test has finished: these tests are about the host's side. */
export function sandbox(options: Partial<CoreSandboxOptions> & { runtimePath?: string } = {}): Sandbox {
  const { runtimePath = fixture('plain-runtime'), ...rest } = options
  const sbx = new Sandbox({ runtime: resolveRuntime(runtimePath), noSandbox: true, ...rest })
  onTestFinished(() => sbx.teardown().then(() => {}))
  return sbx
}
