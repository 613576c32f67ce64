/** The `process` of a program: Node's, with an environment, arguments, listeners and an exit of its own. */
export function guestProcess(env: object, exit: (code: number) => never): NodeJS.Process {
  const memoryUsage = Object.assign(safeMemoryUsage, { rss: () => safeMemoryUsage().rss })
  const guest = own(Object.create(process) as NodeJS.Process, {
    env,
    argv: [],
    execArgv: [],
    exitCode: undefined,
    memoryUsage,
    // Its listeners are not the process's: a program must not mask what the process is told.
    _events: Object.create(null),
    _eventsCount: 0,
    _maxListeners: undefined,
  })
  return own(guest, { exit: (code?: unknown) => exit(exitCode(code ?? guest.exitCode ?? 0)) })
}

/** As Node takes it: an integer, or its text; the operating system keeps the low eight bits. */
function exitCode(code: unknown): number {
  const number = typeof code === 'string' && code.trim() !== '' ? Number(code) : code
  if (typeof number === 'number' && Number.isInteger(number)) return number & 0xff
  throw Object.assign(new TypeError(`The exit code must be an integer, not ${String(code)}`), { code: 'ERR_INVALID_ARG_TYPE' })
}

function safeMemoryUsage(): NodeJS.MemoryUsage {
  try {
    return process.memoryUsage()
  } catch {
    // The resident size is read from /proc, which a confined guest does not have.
    const heap = process.getBuiltinModule('node:v8').getHeapStatistics()
    return { rss: 0, heapTotal: heap.total_heap_size, heapUsed: heap.used_heap_size, external: heap.external_memory, arrayBuffers: 0 }
  }
}

function own<T extends object>(target: T, values: Record<string, unknown>): T {
  for (const [key, value] of Object.entries(values)) {
    Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: !key.startsWith('_') })
  }
  return target
}
