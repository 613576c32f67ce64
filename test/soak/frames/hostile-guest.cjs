// A runtime whose guest is an enemy: it writes to descriptor 3 behind the back of the guest's entry program, and then ends or goes on as told.
const { EventEmitter } = require('node:events')
const fs = require('node:fs')
const { join } = require('node:path')
const { HostileFrames, Random } = require('./bend.mjs')

// Read while that is allowed still.
const originals = JSON.parse(fs.readFileSync(join(__dirname, 'originals.json'), 'utf8')).map(({ body, ...rest }) => ({
  ...rest,
  body: Buffer.from(body, 'base64'),
}))
const ended = () => {}
const ends = {
  live: ended,
  loop() {
    for (;;);
  },
  exit() {
    process.exit(7)
  },
  close() {
    fs.closeSync(3)
  },
  kill() {
    process.kill(process.pid, 'SIGKILL')
  },
  loud() {
    setInterval(() => attempt(() => fs.writeSync(1, 'x'.repeat(65536))))
  },
  throw() {
    setTimeout(() => {
      throw new Error('late')
    })
  },
  abort() {
    process.abort()
  },
  callbacks: () =>
    flood(100, () =>
      globals.take([
        () => 1,
        (async function* () {
          yield 1
        })(),
      ]),
    ),
  gives: () => flood(100, () => globals.give()),
  calls: () => flood(500, () => globals.echo(1)),
}
const pause = new Int32Array(new SharedArrayBuffer(4))
const inbox = Buffer.alloc(65536)
let globals

module.exports = class extends EventEmitter {
  constructor(options) {
    super()
    globals = options.globals
  }

  async init() {}
  async run() {}
  async close() {}

  async handleAPICall(ending, [{ seed, soft, wild }]) {
    const random = new Random(seed)
    const frames = new HostileFrames(originals, random)
    write(soft, () => frames.soft())
    write(wild, () => frames.wild())
    ends[ending]()
    return await new Promise(() => {})
  }
}

/** Writes frames as fast as the host reads them, and tells one byte for each on stdout. Reads what comes back: the entry program must not. */
function write(count, make) {
  for (let left = count; left > 0; left -= batchFrames) {
    const frames = Array.from({ length: Math.min(left, batchFrames) }, make)
    const bytes = Buffer.concat(frames)
    for (let sent = 0; sent < bytes.length; ) {
      const wrote = attempt(() => fs.writeSync(3, bytes, sent))
      if (wrote === undefined) return
      sent += wrote
      while (attempt(() => fs.readSync(3, inbox)) > 0);
      if (wrote === 0) Atomics.wait(pause, 0, 0, 1)
    }
    fs.writeSync(1, '.'.repeat(frames.length))
  }
}

const batchFrames = 64

/** Returns what it returns, 0 when it would have to wait, undefined when nobody is there any more. */
function attempt(act) {
  try {
    return act()
  } catch (error) {
    return error.code === 'EAGAIN' ? 0 : undefined
  }
}

function flood(count, call) {
  for (let i = 0; i < count; i++) call().catch(() => {})
  setImmediate(flood, count, call)
}
