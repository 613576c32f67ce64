import { onTestFinished } from 'vitest'
import JsIsolateConfineRuntime from '../src/index.ts'

/** A program that runs, with what it told of its end and its background. */
export interface Started {
  readonly runtime: JsIsolateConfineRuntime
  readonly exitCodes: unknown[]
  readonly errors: Error[]
  call(name: string, ...params: unknown[]): Promise<any>
}

/** Starts a program, and closes it with the test. */
export async function start(source: string | Uint8Array, options: JsIsolateConfineRuntime.Options = {}): Promise<Started> {
  const exitCodes: unknown[] = []
  const errors: Error[] = []
  const runtime = new JsIsolateConfineRuntime({ source, ...options })
  onTestFinished(() => runtime.close())
  runtime.on('closed', (code) => exitCodes.push(code))
  runtime.on('runtime-error', (error: Error) => errors.push(error))
  await runtime.init()
  await runtime.run()
  return { runtime, exitCodes, errors, call: (name, ...params) => runtime.handleAPICall(name, params) }
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
