/** What a program may call or read outside, as data: functions are numbers of a table that the outside keeps. */
export type GlobalShape =
  | { readonly kind: 'function'; readonly index: number }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'object'; readonly children: readonly (readonly [name: string, shape: GlobalShape])[] }

/** How the outside answers a call. */
export type HostAnswer = { readonly value: unknown } | { readonly error: HostError }

/** What a program is told of an error that happened outside. */
export interface HostError {
  readonly name: string
  readonly message: string
  readonly code?: string | number
  /** Its stack, when it is the program's own. */
  readonly stack?: string
}

/**
 * What the code that runs now belongs to. Each entry into the isolate, with the microtasks behind it, is for one
 * operation: a call, the answer to a call of its own, one of its timers.
 */
export interface Task {
  /** Its number; 0 when it belongs to none. */
  operation: number
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
  readonly operation: number
}

/**
 * Makes the functions by which a program calls out. Runs inside the isolate: uses nothing but the language.
 * @param send passes one call out; throws when the arguments cannot be copied.
 * @param task what runs now.
 */
export function hostCalls(send: (callId: number, index: number, args: unknown[], operationId: number) => void, task: Task) {
  const { apply, defineProperty } = Reflect
  const { hasOwn } = Object
  const PromiseConstructor = Promise
  const { then } = Promise.prototype
  const ErrorConstructor = Error
  const TypeErrorConstructor = TypeError
  const natives = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as unknown as Record<
    string,
    ErrorConstructor
  >
  const waiting = { __proto__: null } as unknown as Record<number, Waiting>
  const maxWaiting = 10_000
  let waitingCount = 0
  let lastId = 0

  /** Makes the value that a shape describes. @param quiet functions whose failure nobody has to handle. */
  function make(shape: GlobalShape, name: string, quiet: boolean): unknown {
    if (shape.kind === 'value') return shape.value
    if (shape.kind === 'function') return makeFunction(shape.index, name, quiet)
    const object = {}
    extend(object, shape, name, quiet)
    return object
  }

  function extend(object: object, shape: GlobalShape & { kind: 'object' }, name: string, quiet: boolean): void {
    for (let index = 0; index < shape.children.length; index++) {
      const key = shape.children[index]![0]
      define(object, key, make(shape.children[index]![1], name === '' ? key : `${name}.${key}`, quiet), true)
    }
  }

  function makeFunction(index: number, name: string, quiet = false) {
    const host = async (...args: unknown[]) => {
      let answer: unknown
      try {
        answer = await call(index, args, name)
      } catch (error) {
        // Made here, after an await, so that its stack names the calls of the program.
        throw hasOwn(error as object, 'facts') ? makeError((error as { facts: never }).facts) : error
      }
      return answer
    }
    const outer = quiet
      ? (...args: unknown[]) => {
          const promise = host(...args)
          void apply(then, promise, [undefined, () => {}])
          return promise
        }
      : host
    define(outer, 'name', name, false)
    return outer
  }

  function call(index: number, args: unknown[], name: string): Promise<unknown> {
    if (waitingCount >= maxWaiting) {
      throw makeError({ name: 'Error', message: `${name} cannot be called: ${maxWaiting} calls are waiting`, code: 'ERR_CONFINE_LIMIT' })
    }
    const id = ++lastId
    return new PromiseConstructor((resolve, reject) => {
      waiting[id] = { resolve, reject, operation: task.operation }
      waitingCount++
      try {
        send(id, index, args, task.operation)
      } catch (error) {
        delete waiting[id]
        waitingCount--
        const { message } = error as Error
        if (hasOwn(error as object, 'code')) throw makeError({ name: 'ConfineError', message, code: (error as { code: string }).code })
        throw new TypeErrorConstructor(`The arguments of ${name} cannot be copied: ${message}`)
      }
    })
  }

  function settle(id: number, answer: HostAnswer): void {
    const call = waiting[id]
    if (call === undefined) return
    delete waiting[id]
    waitingCount--
    task.operation = call.operation
    if (hasOwn(answer, 'value')) call.resolve((answer as { value: unknown }).value)
    else call.reject({ __proto__: null, facts: (answer as { error: unknown }).error })
  }

  function makeError(facts: HostError): Error {
    const Constructor = natives[facts.name] ?? ErrorConstructor
    const error = new Constructor(facts.message)
    if (error.name !== facts.name) define(error, 'name', facts.name, false)
    if (facts.code !== undefined) define(error, 'code', facts.code, true)
    if (facts.stack !== undefined) define(error, 'stack', facts.stack, false)
    return error
  }

  function define(target: object, key: string, value: unknown, enumerable: boolean): void {
    defineProperty(target, key, { __proto__: null, value, enumerable, writable: true, configurable: true } as PropertyDescriptor)
  }

  return { make, makeFunction, extend, settle, makeError }
}
