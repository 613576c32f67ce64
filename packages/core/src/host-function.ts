import { ConfineError } from '@confine-sandbox/contract'
import { checkBySchema, isPromise, type SchemaOutput, type StandardSchema } from './standard-schema.ts'

/** What is said of a function among the globals, beside what it does. */
export interface HostFunctionOptions<Schemas extends readonly StandardSchema[] = readonly StandardSchema[]> {
  /** One schema for each parameter; what they make of the parameters is what the function gets. A guest that passes others is told so, and the function is not called. @default none is checked */
  readonly parameters?: Schemas
  /** The names of the parameters, for messages and declarations. @default param0, param1, … */
  readonly names?: readonly string[]
  /** A schema of the result; what it makes of it is what the guest gets. A result that does not fit is the host's fault: the guest is told only that, the host what. @default it is not checked */
  readonly result?: StandardSchema
  /** What it does, for declarations. */
  readonly description?: string
  /** Its type in declarations, in TypeScript: `(city: string) => Promise<number>`. @default what the schemas tell */
  readonly type?: string
}

/**
 * A function for the globals that checks what the guest passes, and what it gets.
 *
 * ```
 * globals: { weather: hostFunction({ parameters: [z.string().max(100)], result: z.number() }, async (city) => 21) }
 * ```
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function hostFunction<const Schemas extends readonly StandardSchema[], Result>(
  options: HostFunctionOptions<Schemas>,
  fn: (...params: { [Index in keyof Schemas]: SchemaOutput<Schemas[Index]> }) => Result,
): (...params: { [Index in keyof Schemas]: SchemaOutput<Schemas[Index]> }) => Result | Promise<Awaited<Result>> {
  checkOptions(options, fn)
  const { parameters, result: resultSchema } = options
  const nameOf = (index: number) => options.names?.[index] ?? `param${index}`
  function checked(this: unknown, ...given: unknown[]): unknown {
    const call = (params: readonly unknown[]) => {
      const result = Reflect.apply(fn, this, params)
      if (resultSchema === undefined) return result
      return isPromise(result) ? result.then((value) => checkResult(resultSchema, value)) : checkResult(resultSchema, result)
    }
    if (parameters === undefined) return call(given)
    if (given.length > parameters.length) {
      throw new ConfineError(
        'ERR_CONFINE_VALUE',
        `It takes ${parameters.length} parameter${parameters.length === 1 ? '' : 's'}, not ${given.length}`,
      )
    }
    const params = parameters.map((schema, index) => checkBySchema(schema, given[index], nameOf(index)))
    return params.some(isPromise) ? Promise.all(params).then(call) : call(params)
  }
  return Object.defineProperty(checked, described, { value: Object.freeze({ ...options }) }) as never
}

/** What was said of a function when it was made with `hostFunction`. */
export function describedAs(fn: Function): HostFunctionOptions | undefined {
  return (fn as { [described]?: HostFunctionOptions })[described]
}

/** Known to every copy of this module. */
const described: unique symbol = Symbol.for('confine-sandbox.host-function') as never

function checkResult(schema: StandardSchema, value: unknown): unknown {
  const failed = (cause: unknown) => {
    // The cause stays on the host.
    throw new ConfineError('ERR_CONFINE_VALUE', "The host's result does not fit its own schema", { cause })
  }
  try {
    const result = checkBySchema(schema, value, 'result')
    return isPromise(result) ? result.catch(failed) : result
  } catch (error) {
    return failed(error)
  }
}

function checkOptions({ parameters, result, names }: HostFunctionOptions, fn: unknown): void {
  const bad = (what: string) => new ConfineError('ERR_CONFINE_BAD_OPTION', `hostFunction: ${what}`)
  if (typeof fn !== 'function') throw bad('the second argument must be the function')
  if (parameters !== undefined && !Array.isArray(parameters)) throw bad('parameters must be a list of schemas, one for each')
  for (const schema of [...(parameters ?? []), ...(result === undefined ? [] : [result])]) {
    if (typeof schema?.['~standard']?.validate !== 'function') throw bad('a schema must follow https://standardschema.dev')
  }
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => /^[A-Za-z_$][\w$]*$/.test(String(name))))) {
    throw bad('names must be a list of identifiers')
  }
}
