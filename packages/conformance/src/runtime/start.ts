import type { Runtime, RuntimeClass, RuntimeOptions } from '@confine-sandbox/contract'
import { defaultPatienceMs, within } from '../suite.ts'
import type { Program, RuntimeSubject } from './subject.ts'

/** A container of the runtime under test, in this process, with what was seen of it. */
export interface Started {
  readonly runtime: Runtime
  readonly exitCodes: unknown[]
  /** Calls a function; fails when neither answer nor error comes. */
  call(name: string, ...params: unknown[]): Promise<unknown>
}

/** Makes containers of one runtime, one test long. */
export interface Starter {
  /** How long to wait for what comes at once, milliseconds. */
  readonly patienceMs: number
  /** A container that is not started. */
  create(program: Program, more?: RuntimeOptions): Started
  /** A container whose program has loaded. */
  start(program: Program, more?: RuntimeOptions): Promise<Started>
}

/** Runs a test with a starter, and closes what it made, however the test ends. */
export async function withRuntime(
  Runtime: RuntimeClass,
  subject: RuntimeSubject,
  test: (starter: Starter) => Promise<void>,
): Promise<void> {
  const patienceMs = subject.patienceMs ?? defaultPatienceMs
  const made: Runtime[] = []
  const create = (program: Program, more: RuntimeOptions = {}): Started => {
    const runtime = new Runtime({ globals: { host: hostFunctions() }, ...subject.options, ...optionsOf(program), ...more })
    made.push(runtime)
    const exitCodes: unknown[] = []
    runtime.on('closed', (code) => exitCodes.push(code))
    return { runtime, exitCodes, call: (name, ...params) => within(patienceMs, `the call of ${name}`, runtime.handleAPICall(name, params)) }
  }
  const starter: Starter = {
    patienceMs,
    create,
    async start(program, more) {
      const started = create(program, more)
      await within(patienceMs, 'init()', started.runtime.init())
      await within(patienceMs, 'run()', started.runtime.run())
      return started
    },
  }
  try {
    await test(starter)
  } finally {
    for (const runtime of made)
      await within(
        patienceMs,
        'close()',
        Promise.resolve(runtime.close()).catch(() => {}),
      )
  }
}

/** A program as options. */
export function optionsOf(program: Program): RuntimeOptions {
  return typeof program === 'string' || ArrayBuffer.isView(program) ? { source: program as string | Uint8Array } : program
}

/** What the programs of a suite may call as `host`. */
export function hostFunctions(seen: { loaded?: () => void } = {}): Record<string, (...args: never[]) => unknown> {
  return {
    addTwo: (number: number) => number + 2,
    wait: () => new Promise(() => {}),
    fail: () => {
      throw Object.assign(new RangeError('the host failed'), { code: 'E_HOST' })
    },
    loaded: () => seen.loaded?.(),
  }
}
