import { ByteCursor } from './byte-cursor.ts'

/** A memory that a module imports, in pages of 64 KiB. */
export interface ImportedMemory {
  readonly module: string
  readonly name: string
  readonly initial: number
  readonly maximum: number
}

/** A module with smaller limits, and the memories that it imports. */
export interface LimitedModule {
  readonly bytes: Uint8Array
  readonly memories: readonly ImportedMemory[]
}

/**
 * Writes a limit into a module's memories and tables, so that the engine itself keeps it.
 * @param bytes A module that the engine has found valid: this does not look again.
 * @param maxPages What its memories may hold together, pages of 64 KiB.
 * @throws RangeError when it asks for more from the start, or for memory that threads share or that is counted in 64 bits.
 */
export function limitModule(bytes: Uint8Array, maxPages: number): LimitedModule {
  const input = new ByteCursor(bytes)
  const parts: Uint8Array[] = [input.take(8)]
  const memories: ImportedMemory[] = []
  const budget = { pages: maxPages }
  while (!input.isAtEnd) {
    const id = input.byte()
    const content = input.take(input.unsigned())
    let section = content
    if (id === sections.import) memories.push(...importedMemories(content, budget))
    else if (id === sections.memory) section = limitEach(content, (limits) => memoryLimits(limits, budget))
    else if (id === sections.table) section = limitTables(content)
    parts.push(new Uint8Array([id, ...unsignedBytes(section.length)]), section)
  }
  return { bytes: Buffer.concat(parts), memories }
}

const sections = { import: 2, table: 4, memory: 5 }
const kinds = { function: 0, table: 1, memory: 2, global: 3, tag: 4 }
const hasMaximum = 1
/** Eight bytes each, and as many again where the engine keeps them. */
const maxTableEntries = 1_000_000

interface Limits {
  readonly flags: number
  readonly initial: number
  readonly maximum: number
}

function readLimits(input: ByteCursor): Limits {
  const flags = input.byte()
  if ((flags & ~hasMaximum) !== 0) {
    throw new RangeError(
      'The module wants memory that threads share, is counted in 64 bits or has pages of another size: this runtime does not give it',
    )
  }
  const initial = input.unsigned()
  return { flags, initial, maximum: (flags & hasMaximum) === 0 ? Number.POSITIVE_INFINITY : input.unsigned() }
}

/** Takes the pages of one memory from what all of them may hold. */
function memoryLimits({ initial, maximum }: Limits, budget: { pages: number }): Limits {
  if (initial > budget.pages)
    throw new RangeError(`The module wants ${initial} pages of memory from the start: more than its limit. Raise memoryLimitMiB`)
  const limited = Math.min(maximum, budget.pages)
  budget.pages -= limited
  return { flags: hasMaximum, initial, maximum: limited }
}

function limitEach(content: Uint8Array, limit: (limits: Limits) => Limits): Uint8Array {
  const input = new ByteCursor(content)
  const count = input.unsigned()
  const out = [...unsignedBytes(count)]
  for (let index = 0; index < count; index++) out.push(...limitsBytes(limit(readLimits(input))))
  return new Uint8Array(out)
}

function limitTables(content: Uint8Array): Uint8Array {
  const input = new ByteCursor(content)
  const count = input.unsigned()
  const parts: Uint8Array[] = [unsignedBytes(count)]
  for (let index = 0; index < count; index++) {
    const start = input.position
    const hasInitializer = input.peek() === 0x40
    if (hasInitializer) input.take(2)
    skipReferenceType(input)
    parts.push(content.slice(start, input.position))
    const { flags, initial, maximum } = readLimits(input)
    if (initial > maxTableEntries) throw new RangeError(`The module wants a table of ${initial} entries: more than ${maxTableEntries}`)
    parts.push(new Uint8Array(limitsBytes({ flags: flags | hasMaximum, initial, maximum: Math.min(maximum, maxTableEntries) })))
    // What fills such a table is an expression of any form: the rest is taken as it is.
    if (hasInitializer) {
      if (count > 1)
        throw new RangeError('The module has several tables, one of them with an initial value, which this runtime does not read')
      parts.push(content.slice(input.position))
      break
    }
  }
  return Buffer.concat(parts)
}

/** One byte, or two that lead in the number of a type. */
function skipReferenceType(input: ByteCursor): void {
  const first = input.byte()
  if (first === 0x63 || first === 0x64) input.signed()
}

function importedMemories(content: Uint8Array, budget: { pages: number }): ImportedMemory[] {
  const input = new ByteCursor(content)
  const memories: ImportedMemory[] = []
  const count = input.unsigned()
  for (let index = 0; index < count; index++) {
    const [module, name] = [input.text(), input.text()]
    const kind = input.byte()
    if (kind === kinds.function) input.unsigned()
    else if (kind === kinds.memory) {
      const { initial, maximum } = memoryLimits(readLimits(input), budget)
      memories.push({ module, name, initial, maximum })
    } else if (kind === kinds.table) {
      skipReferenceType(input)
      readLimits(input)
    } else if (kind === kinds.global) {
      skipReferenceType(input)
      input.byte()
    } else if (kind === kinds.tag) {
      input.byte()
      input.unsigned()
    } else throw new RangeError(`The module imports ${module}.${name}, which is of an unknown kind`)
  }
  return memories
}

function limitsBytes({ flags, initial, maximum }: Limits): number[] {
  return [flags, ...unsignedBytes(initial), ...unsignedBytes(maximum)]
}

function unsignedBytes(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const more = rest >= 128
    bytes.push((rest % 128) + (more ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return new Uint8Array(bytes)
}
