/**
 * The TypeScript type of a JSON Schema, as text. What it cannot tell is `unknown`.
 * @param schema As draft 2020-12 has it; references within it are followed.
 */
export function jsonSchemaType(schema: unknown): string {
  return typeOf(schema, { schema, left: maxParts }, 0)
}

const maxDepth = 12
/** A schema that refers to itself a few times would be pages, and one that does so often more than there is memory. */
const maxParts = 2000

interface Root {
  readonly schema: unknown
  /** How many parts may still be told. */
  left: number
}

function typeOf(schema: unknown, root: Root, depth: number): string {
  if (typeof schema !== 'object' || schema === null || depth > maxDepth) return schema === false ? 'never' : 'unknown'
  if (root.left-- <= 0) return 'unknown'
  const { $ref, const: constant, enum: values, anyOf, oneOf, allOf, type } = schema as Record<string, unknown>
  const below = (inner: unknown) => typeOf(inner, root, depth + 1)
  if (typeof $ref === 'string') return below(referred($ref, root.schema))
  if (constant !== undefined) return literal(constant)
  if (Array.isArray(values)) return union(values.map(literal))
  if (Array.isArray(anyOf) || Array.isArray(oneOf)) return union(((anyOf ?? oneOf) as unknown[]).map(below))
  if (Array.isArray(allOf)) return allOf.map(below).map(wrapped).join(' & ')
  if (Array.isArray(type)) return union(type.map((one) => below({ ...schema, type: one })))
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
      return 'number'
    case 'array':
      return arrayType(schema as Record<string, unknown>, below)
    case 'object':
      return objectType(schema as Record<string, unknown>, below)
    default:
      return 'unknown'
  }
}

function arrayType({ prefixItems, items }: Record<string, unknown>, below: (inner: unknown) => string): string {
  if (!Array.isArray(prefixItems)) return `${wrapped(below(items))}[]`
  const rest = items === undefined || items === false ? [] : [`...${wrapped(below(items))}[]`]
  return `[${[...prefixItems.map(below), ...rest].join(', ')}]`
}

function objectType({ properties, required, additionalProperties }: Record<string, unknown>, below: (inner: unknown) => string): string {
  const known = typeof properties === 'object' && properties !== null ? Object.entries(properties) : []
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name)
  const members = known.map(([name, inner]) => `${propertyName(name)}${isRequired(name) ? '' : '?'}: ${below(inner)}`)
  if (typeof additionalProperties === 'object' && additionalProperties !== null) {
    const other = below(additionalProperties)
    if (members.length === 0) return `Record<string, ${other}>`
    return `{ ${members.join('; ')} } & Record<string, ${known.length === 0 ? other : 'unknown'}>`
  }
  if (members.length > 0) return `{ ${members.join('; ')} }`
  return additionalProperties === false ? '{}' : 'Record<string, unknown>'
}

/** A name as a member of a type. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

function referred(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#')) return undefined
  return reference
    .slice(1)
    .split('/')
    .filter((step) => step !== '')
    .reduce<unknown>((at, step) => {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
      return typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined
    }, root)
}

function literal(value: unknown): string {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) ? JSON.stringify(value) : 'unknown'
}

function union(types: readonly string[]): string {
  return types.length === 0 ? 'never' : [...new Set(types)].join(' | ')
}

function wrapped(type: string): string {
  return / [|&] /.test(type) && !/^[{[(].*[}\])]$/.test(type) ? `(${type})` : type
}
