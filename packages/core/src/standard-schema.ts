import { ConfineError } from '@confine-sandbox/contract'

/** A schema of any library that follows https://standardschema.dev, such as Zod, Valibot or ArkType. */
export interface StandardSchema<Input = any, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Its shape as JSON Schema, for libraries that can tell it. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>
    }
  }
}

/** What a schema says of a value: what it makes of it, or what is wrong with it. */
export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema makes of a value that fits it. */
export type SchemaOutput<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : any
  : any

/**
 * Checks a value.
 * @param place How an error calls it.
 * @returns What the schema makes of it, with its defaults and conversions.
 * @throws ERR_CONFINE_VALUE with every issue and its place.
 */
export function checkBySchema(schema: StandardSchema, value: unknown, place: string): unknown {
  const result = schema['~standard'].validate(value)
  return isPromise(result) ? result.then((settled) => outputOf(settled, place)) : outputOf(result, place)
}

/** Whether a value is one of our own promises, or one that behaves so: what a library of the host's returns is trusted. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function outputOf(result: SchemaResult<unknown>, place: string): unknown {
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, maxIssues).map(({ message, path = [] }) => `${placeOf(place, path)}: ${message}`)
  throw new ConfineError('ERR_CONFINE_VALUE', issues.join('; '))
}

const maxIssues = 8

function placeOf(place: string, path: NonNullable<SchemaIssue['path']>): string {
  return path.reduce<string>((text, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    return typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key)
      ? `${text}.${key}`
      : `${text}[${typeof key === 'string' ? JSON.stringify(key) : String(key)}]`
  }, place)
}
