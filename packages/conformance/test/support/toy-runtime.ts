import { EventEmitter } from 'node:events'
import { type ApiDescription, ConfineError, MethodNotFound, type RuntimeOptions } from '@confine-sandbox/contract'

/** The smallest runtime that passes: a function body in this process, which returns its exports. Examples break one thing each. */
export class ToyRuntime extends EventEmitter {
  readonly opts: RuntimeOptions
  protected exported: Record<string, unknown> = {}
  protected isClosed = false
  protected running: Promise<void> | undefined
  protected readonly waiting = new Set<(error: Error) => void>()

  constructor(opts: RuntimeOptions) {
    super()
    this.opts = { ...opts }
  }

  async init(): Promise<void> {
    this.assertOpen()
    if (this.opts.source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no source')
    if (typeof this.opts.source !== 'string') throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The source must be a string')
  }

  async run(): Promise<void> {
    this.assertOpen()
    this.running ??= this.load()
    await this.running
  }

  async handleAPICall(name: string, params: unknown[] = []): Promise<unknown> {
    this.assertOpen()
    if (!Object.hasOwn(this.exported, name)) throw new MethodNotFound(`Method not found: ${name}`)
    const { promise, reject } = Promise.withResolvers<never>()
    this.waiting.add(reject)
    try {
      return await Promise.race([promise, this.call(this.exported[name] as Function, params)])
    } finally {
      this.waiting.delete(reject)
    }
  }

  describeAPI(): ApiDescription {
    return { type: 'api', children: Object.keys(this.exported).map((name) => ({ type: 'method', name })) }
  }

  configure(_opts: unknown): void {}

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.exported = {}
    for (const reject of this.waiting) reject(closedError())
    this.emit('closed', 0)
  }

  protected async load(): Promise<void> {
    const program = new Function('host', this.opts.source as string)
    this.exported = (program((this.opts.globals as { host?: unknown }).host) as Record<string, unknown>) ?? {}
  }

  protected async call(method: Function, params: unknown[]): Promise<unknown> {
    try {
      return await method(...params)
    } catch (thrown) {
      throw Object.assign(new Error(`The program threw ${thrown}`), { stack: 'in the program' })
    }
  }

  protected assertOpen(): void {
    if (this.isClosed) throw closedError()
  }
}

/** The programs of the suite, as function bodies. */
export const toyPrograms = {
  addOne: 'return { addOne: (number) => number + 1 }',
  counter: 'let count = 0; return { next: () => ++count }',
  fail: 'return { fail() { throw new TypeError("no") } }',
  broken: ['}', 'throw new Error("no")'],
  viaHost: 'return { viaHost: (number) => host.addTwo(number) }',
  wait: ['return { wait: () => host.wait() }'],
  failVia: 'return { failVia: () => host.fail() }',
  loaded: 'host.loaded()',
  echo: { program: 'return { echo: (value) => value }', values: [1, { a: [new Map([[1, 2]])] }] },
  later: 'return { later: async (value) => value }',
} as const

function closedError(): ConfineError {
  return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', 'The container is closed')
}
