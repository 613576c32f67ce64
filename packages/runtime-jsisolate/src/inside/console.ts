import type { packer, Packed } from './pack.ts'

/** What the console needs. */
export interface ConsoleOutside {
  format(args: unknown[]): string
  write(stream: 1 | 2, text: string): void
  /** Tells what was logged. @throws when it cannot be copied. */
  log(level: string, args: Packed): void
  isShared(value: object): boolean
}

/** Makes the console of a program. Runs inside the isolate: uses nothing but the language. */
export function guestConsole({ format, write, log, isShared }: ConsoleOutside, packer_: typeof packer) {
  const TypeErrorConstructor = TypeError
  const refuse = () => {
    throw new TypeErrorConstructor('It is shown as text')
  }
  const packing = packer_({ give: refuse, takeBack: () => {}, isRefused: () => true, isShared }, true)
  let isCaptured = false
  let depth = 0

  function say(stream: 1 | 2, args: unknown[]): void {
    let prefix = ''
    for (let count = 0; count < depth; count++) prefix += '  '
    write(stream, `${prefix}${format(args)}\n`)
  }

  /** As values where they can be copied, else as text. */
  function tell(level: string, args: unknown[]): void {
    const values: unknown[] = []
    const texts: unknown[] = []
    for (let index = 0; index < args.length; index++) {
      const value = args[index]
      const isPlain = (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') || value === null
      texts[index] = isPlain ? value : format([value])
      values[index] = isPlain || isPackable(value) ? value : texts[index]
    }
    try {
      log(level, packing.pack(values, 'args'))
    } catch {
      log(level, { value: texts })
    }
  }

  function isPackable(value: unknown): boolean {
    try {
      packing.pack(value, 'args')
      return true
    } catch {
      return false
    }
  }

  const logs =
    (level: string, stream: 1 | 2) =>
    (...args: unknown[]) => {
      if (isCaptured) tell(level, args)
      say(stream, args)
    }
  const plain = logs('log', 1)
  const error = logs('error', 2)
  const quiet = () => {}
  const console = {
    log: plain,
    info: logs('info', 1),
    debug: logs('debug', 1),
    dir: (value: unknown) => plain(value),
    table: plain,
    error,
    warn: logs('warn', 2),
    trace: (...args: unknown[]) => {
      if (isCaptured) tell('trace', args)
      say(2, ['Trace:', ...args])
    },
    assert: (condition: unknown, ...args: unknown[]) => {
      if (!condition) error('Assertion failed', ...args)
    },
    group: (...args: unknown[]) => {
      if (args.length > 0) plain(...args)
      if (depth < 32) depth++
    },
    groupEnd: () => {
      if (depth > 0) depth--
    },
    time: quiet,
    timeEnd: quiet,
    timeLog: quiet,
    count: quiet,
    countReset: quiet,
    clear: quiet,
  }
  const capture = (isOn: boolean) => {
    isCaptured = isOn
  }
  return { console, capture }
}
