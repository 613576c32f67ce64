import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const script = fileURLToPath(new URL('../scripts/launch.sh', import.meta.url))

interface Limits {
  readonly memoryKiB?: number
  readonly files?: string
}

/** Runs node by launch.sh, as core would, with what takes its reports. */
function launch(source: string, reports: 'pipe' | number, { memoryKiB, files = '64' }: Limits = {}): ChildProcess {
  const words = [memoryKiB === undefined ? '' : String(memoryKiB), '', '0', files, '4096', '']
  const child = spawn('/bin/bash', ['-p', script, ...words, '/usr/bin/env', process.execPath, '-e', source], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', reports],
  })
  onTestFinished(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // They ended by themselves.
    }
  })
  return child
}

const fill = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(4 << 20, 1)), 5)'

test('the host hears of the limit, then sees the end', async () => {
  const child = launch(fill, 'pipe', { memoryKiB: 150_000 })
  let said = ''
  ;(child.stdio[4] as Readable).on('data', (chunk) => {
    said += chunk
  })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  expect(said).toMatch(/used \d+ [\d:.-]+\nlimit memory\n$/)
})

test('a host that reads no report keeps nobody from looking', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'confine-watch-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const pipe = join(directory, 'reports')
  execFileSync('mkfifo', [pipe])
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  const full = Buffer.alloc(4096)
  expect(() => {
    for (;;) writeSync(end, full)
  }).toThrow('EAGAIN')
  // For writing alone and blocking: the description of its own that a watcher has.
  const reports = openSync(pipe, constants.O_WRONLY)
  const child = launch(fill, reports, { memoryKiB: 150_000 })
  closeSync(reports)
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  closeSync(end)
})

test('a limit that cannot be set is the end, before anything was run', async () => {
  const child = launch('console.log("ran")', 'pipe', { files: 'many' })
  let [out, error] = ['', '']
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    error += chunk
  })
  expect(await once(child, 'close')).toEqual([125, null])
  expect([out, error]).toEqual(['', expect.stringMatching(/^confine: ulimit -n many was refused, and the limit is \w+\n$/)])
})
