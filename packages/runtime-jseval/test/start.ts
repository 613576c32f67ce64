import { onTestFinished } from 'vitest'
import JsEvalConfineRuntime from '../src/index.ts'

/** Starts a program, and closes it with the test. */
export async function start(source: string | Uint8Array, options: JsEvalConfineRuntime.Options = {}): Promise<JsEvalConfineRuntime> {
  const runtime = new JsEvalConfineRuntime({ source, ...options })
  onTestFinished(() => runtime.close())
  await runtime.init()
  await runtime.run()
  return runtime
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<any> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('It was not rejected')
}
