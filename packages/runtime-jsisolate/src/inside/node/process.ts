/** What Node's `process` has beside `exit`, with nothing of the real one. Runs inside the isolate: uses nothing but the language. */
export function processMembers(path: string, write: (stream: 1 | 2, text: string) => void) {
  const start = Date.now()
  const { then } = Promise.prototype
  const resolved = Promise.resolve()
  const { apply } = Reflect

  function hrtime(previous?: readonly [number, number]): [number, number] {
    const elapsed = Date.now() - start
    const time: [number, number] = [Math.floor(elapsed / 1000), (elapsed % 1000) * 1_000_000]
    if (previous === undefined) return time
    const nanoseconds = (time[0] - previous[0]) * 1_000_000_000 + time[1] - previous[1]
    return [Math.floor(nanoseconds / 1_000_000_000), nanoseconds % 1_000_000_000]
  }

  const stream = (number: 1 | 2) => ({
    isTTY: false,
    writable: true,
    write(text: unknown) {
      write(number, String(text))
      return true
    },
  })

  const process = {
    title: 'node',
    version: 'v24.0.0',
    versions: { node: '24.0.0' },
    release: { name: 'node' },
    platform: 'linux',
    arch: 'x64',
    pid: 1,
    ppid: 0,
    argv: ['node', path],
    argv0: 'node',
    execArgv: [],
    execPath: 'node',
    env: {},
    features: {},
    config: {},
    browser: false,
    stdout: stream(1),
    stderr: stream(2),
    cwd: () => '/',
    uptime: () => (Date.now() - start) / 1000,
    hrtime: Object.assign(hrtime, { bigint: () => BigInt(Date.now() - start) * 1_000_000n }),
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
    umask: () => 0o22,
    nextTick(callback: (...args: unknown[]) => void, ...args: unknown[]) {
      if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function')
      void apply(then, resolved, [() => apply(callback, undefined, args)])
    },
    emitWarning: (warning: unknown) => write(2, `Warning: ${String(warning)}\n`),
    emit: () => false,
    listeners: () => [],
    listenerCount: () => 0,
  }
  const self = () => process
  return Object.assign(process, {
    on: self,
    once: self,
    off: self,
    addListener: self,
    removeListener: self,
    removeAllListeners: self,
    prependListener: self,
  })
}
