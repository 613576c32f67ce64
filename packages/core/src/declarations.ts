import { describedAs, type HostFunctionOptions } from './host-function.ts'
import { isGroup } from './globals.ts'
import { jsonSchemaType, propertyName } from './json-schema-type.ts'
import type { StandardSchema } from './standard-schema.ts'

/**
 * TypeScript declarations of the globals that a guest finds: for the authors of programs, people or language models.
 * Functions that were made with `hostFunction` tell their types and descriptions, all others take and give anything.
 * @param globals As the Sandbox takes them. `console` is left out: every program has one.
 * @returns The text of a `.d.ts` file.
 */
export function declareGlobals(globals: Readonly<Record<string, unknown>>): string {
  const lines: string[] = []
  for (const [name, value] of Object.entries(globals)) {
    if (name === 'console') continue
    const comment = typeof value === 'function' ? documentation(describedAs(value), '') : ''
    if (/^[A-Za-z_$][\w$]*$/.test(name)) lines.push(`${comment}declare const ${name}: ${typeOfValue(value, '', 0)}`)
    else
      lines.push(
        `${comment}// globalThis[${oneLine(JSON.stringify(name))}]: ${typeOfValue(value, '', 0).replaceAll(/[\n\r\u2028\u2029]/g, '\n// ')}`,
      )
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** What JSON leaves as it is and ends a comment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u2028\u2029]/g, ' ')
}

const maxDepth = 16

function typeOfValue(value: unknown, indent: string, depth: number): string {
  if (typeof value === 'function') return functionType(describedAs(value))
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return typeof value
  if (depth >= maxDepth) return 'unknown'
  if (Array.isArray(value)) return 'readonly unknown[]'
  if (!isGroup(value)) return plainType(Object.prototype.toString.call(value).slice(8, -1))
  const inner = `${indent}  `
  const members = Object.entries(value).map(([name, member]) => {
    const comment = typeof member === 'function' ? documentation(describedAs(member), inner) : ''
    return `${comment}${inner}readonly ${propertyName(name)}: ${typeOfValue(member, inner, depth + 1)}\n`
  })
  return members.length === 0 ? '{}' : `{\n${members.join('')}${indent}}`
}

function plainType(name: string): string {
  return name === 'Map' ? 'Map<unknown, unknown>' : name === 'Set' ? 'Set<unknown>' : name in globalThis ? name : 'unknown'
}

function functionType(options: HostFunctionOptions | undefined): string {
  if (options?.type !== undefined) return options.type
  const { parameters, result, names } = options ?? {}
  const params =
    parameters === undefined
      ? '...params: any[]'
      : parameters.map((schema, index) => `${names?.[index] ?? `param${index}`}: ${schemaType(schema, 'input')}`).join(', ')
  return `(${params}) => Promise<${result === undefined ? 'any' : schemaType(result, 'output')}>`
}

function schemaType(schema: StandardSchema, direction: 'input' | 'output'): string {
  try {
    return jsonSchemaType(schema['~standard'].jsonSchema?.[direction]({ target: 'draft-2020-12' }))
  } catch {
    // Not every schema has a shape that JSON can tell.
    return 'unknown'
  }
}

function documentation(options: HostFunctionOptions | undefined, indent: string): string {
  if (options?.description === undefined) return ''
  const lines = options.description.replaceAll('*/', '*\\/').split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}
