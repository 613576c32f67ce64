import type { RuntimeClass, RuntimeOptions } from '@confine-sandbox/contract'
import { describe, expect, it, test } from 'vitest'
import { testRuntime } from '../src/index.ts'
import { failuresOf } from './support/run-suite.ts'
import { ToyRuntime, toyPrograms } from './support/toy-runtime.ts'

testRuntime(ToyRuntime, { programs: toyPrograms }, { describe, it })

const failures = (Runtime: RuntimeClass, only: RegExp) =>
  failuresOf((framework) => testRuntime(Runtime, { programs: toyPrograms, patienceMs: 200 }, framework), only)

/** Runtimes that break one thing each: which test finds it, and what that says. */
const examples: Record<string, { Runtime: RuntimeClass; test: RegExp; says: RegExp }> = {
  'finds what every object inherits': {
    Runtime: class extends ToyRuntime {
      override async handleAPICall(name: string, params: unknown[]) {
        if (!this.isClosed && name !== '' && name in this.exported) return this.call((this.exported as any)[name], params)
        return super.handleAPICall(name, params)
      }
    },
    test: /finds no function named "toString"/,
    says: /A call of "toString" .*"\[object Undefined\]"|a call of "toString" should have been rejected/,
  },
  'walks into functions by dots': {
    Runtime: class extends ToyRuntime {
      override async handleAPICall(name: string, params: unknown[]) {
        const found = name.split('.').reduce((value: any, key) => value?.[key], this.exported)
        return name.includes('.') && typeof found === 'function' ? found.length : super.handleAPICall(name, params)
      }
    },
    test: /finds no function named "addOne.call"/,
    says: /a call of "addOne.call" should have been rejected; it gave 1/,
  },
  'has an error of its own for names that are not there': {
    Runtime: class extends ToyRuntime {
      override async handleAPICall(name: string, params: unknown[]) {
        if (!this.isClosed && !Object.hasOwn(this.exported, name)) throw new Error('nope')
        return super.handleAPICall(name, params)
      }
    },
    test: /finds no function named "missing"/,
    says: /should say MethodNotFound, code -1; it said Error: nope/,
  },
  'never says closed': {
    Runtime: class extends ToyRuntime {
      override emit() {
        return false
      }
    },
    test: /closes once/,
    says: /'closed' should have come once, with 0; it came with \[\]/,
  },
  'says closed each time': {
    Runtime: class extends ToyRuntime {
      override async close() {
        this.isClosed = true
        this.emit('closed', 0)
      }
    },
    test: /closes once/,
    says: /it came with \[0, 0, 0\]/,
  },
  'leaves calls waiting when it closes': {
    Runtime: class extends ToyRuntime {
      override async close() {
        this.waiting.clear()
        await super.close()
      }
    },
    test: /rejects a call that waits/,
    says: /a waiting call of a closed runtime did not settle within 200 ms/,
  },
  'still answers when it is closed': {
    Runtime: class extends ToyRuntime {
      protected override assertOpen() {}
      override async close() {
        if (!this.isClosed) this.emit('closed', 0)
        this.isClosed = true
      }
    },
    test: /refuses everything after close/,
    says: /handleAPICall\(\) of a closed runtime should have been rejected; it gave 2/,
  },
  'throws what is no Error': {
    Runtime: class extends ToyRuntime {
      protected override async call(method: Function, params: unknown[]) {
        return Promise.resolve(method(...params)).catch((error) => Promise.reject(String(error)))
      }
      override async handleAPICall(name: string, params: unknown[]) {
        return super.handleAPICall(name, params).catch((error) => Promise.reject(error.code === -1 || error.code ? error : String(error)))
      }
    },
    test: /a call that fails is rejected with an Error/,
    says: /the call of fail was rejected with string, which is no Error/,
  },
  'shows its own files in stacks': {
    Runtime: class extends ToyRuntime {
      protected override async call(method: Function, params: unknown[]) {
        return super.call(method, params).catch((error) => {
          throw Object.assign(error, { stack: 'Error\n    at file:///home/somebody/runtime.js' })
        })
      }
    },
    test: /its stack tells nothing/,
    says: /The stack names files of the runtime/,
  },
  'runs a program twice': {
    Runtime: class extends ToyRuntime {
      override async run() {
        this.assertOpen()
        await this.load()
      }
    },
    test: /runs a program once/,
    says: /it was run 3 times/,
  },
  'shares state between containers': {
    Runtime: class extends ToyRuntime {
      static count = 0
      protected override async call(method: Function, params: unknown[]) {
        return params.length === 0 && method.length === 0 && String(method).includes('count')
          ? ++(this.constructor as any).count
          : super.call(method, params)
      }
    },
    test: /keeps its containers apart/,
    says: /The state of one container was seen in another/,
  },
  'changes the options of its caller': {
    Runtime: class extends ToyRuntime {
      constructor(opts: RuntimeOptions) {
        super(opts)
        delete opts.some
        ;((opts.globals ?? {}) as Record<string, unknown>).console = {}
      }
    },
    test: /does not change the options/,
    says: /The options object was changed/,
  },
  'describes what is not there': {
    Runtime: class extends ToyRuntime {
      override describeAPI() {
        return { type: 'api', children: [{ type: 'method', name: 'more' }, ...super.describeAPI().children] } as const
      }
    },
    test: /describes what it exports/,
    says: /more/,
  },
  'leaves a listener on the process': {
    Runtime: class extends ToyRuntime {
      override async init() {
        await super.init()
        process.on('SIGUSR2', listener)
      }
    },
    test: /leaves no listeners/,
    says: /Listeners of `process` were left behind/,
  },
  'fails on a configuration that it does not know': {
    Runtime: class extends ToyRuntime {
      override configure(opts: { thing: unknown }) {
        return void opts.thing
      }
    },
    test: /goes on after configure\(null\)/,
    says: /Cannot read properties of null/,
  },
  hangs: {
    Runtime: class extends ToyRuntime {
      override run() {
        return new Promise<void>(() => {})
      }
    },
    test: /calls an exported function/,
    says: /run\(\) did not settle within 200 ms/,
  },
}

describe('a runtime that', () => {
  test.each(Object.entries(examples))('%s fails, and the reason can be read', async (_what, example) => {
    const found = Object.entries(await failures(example.Runtime, example.test))
    process.removeListener('SIGUSR2', listener)
    expect(found).toHaveLength(1)
    expect(found[0]![1]).toMatch(example.says)
  })

  test('cannot be loaded is one failure', async () => {
    const descriptor = {
      name: 'gone',
      entry: '/nowhere/gone.cjs',
      directories: [],
      links: [],
      nodeFlags: [],
      maxContainers: 1,
      threads: false,
    }
    const found = await failuresOf((framework) => testRuntime(descriptor, { programs: toyPrograms }, framework))
    expect(found['the runtime gone › can be loaded']).toMatch(/Cannot find module/)
    expect(found['the runtime gone › its descriptor › names files that are there, by their real paths']).toMatch(/is the runtime built\?/)
  })
})

function listener(): void {}
