import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { root } from './packages.ts'

const execute = promisify(execFile)
const examples = join(root, 'examples')
const documents = globSync(['packages/*/README.md', 'docs/*.md', 'docs/recipes/*.md', '*.md'], { cwd: root })

describe.each(documents)('%s', (path) => {
  const blocks = [...readFileSync(join(root, path), 'utf8').matchAll(/^```(js|ts)\n(.*?)^```$/gms)]

  test.each(blocks.map(([, language, code], index) => [index + 1, language as string, code as string] as const))(
    'its program %i runs',
    async (number, language, code) => {
      // In examples/, where every package of ours can be imported.
      const file = join(examples, `.document-${path.replaceAll(/\W/g, '-')}-${number}.m${language}`)
      await writeFile(file, code)
      try {
        const { stdout } = await execute(process.execPath, ['--no-node-snapshot', file], { timeout: 110_000 })
        expect(stdout).not.toBe('')
      } finally {
        await rm(file)
      }
    },
  )

  test('has no program that is not run', () => {
    expect(readFileSync(join(root, path), 'utf8')).not.toMatch(/^ +```[jt]s|^```(javascript|typescript|mjs|cjs|mts)$/m)
  })
})

describe('examples', () => {
  const expected: Record<string, RegExp> = {
    'readme.mjs': /^6\n$/,
    'parts.mjs': /^hello parts\n$/,
    'alone.mjs': /^hello runtime, it is a fine day\n$/,
    'hello.mjs': /^hello guest\n$/,
    'host-functions.mjs': /^\[ 'apple', 'plum: NO_FRUIT' \]\n\[ 'undefined', 4 \]\n$/,
    'policy-with-files.mjs': /^\[ 'EROFS', 'ENOENT', 'ENOENT' \]\n\[ 'ADA', 'BEN' \]\n$/,
    'limits-and-ends.mjs':
      /^exits: exited\nsteals: violation \(openat \/etc\/passwd\)\ntakes CPU time: cpu\ntakes memory: memory\nlives too long: timeout\nwrites too much: output\n$/,
    'plug-in-host.mjs': /ok: 'ada second 2'[\s\S]*threw: 'mine'[\s\S]*ended: 'ERR_CONFINE_CONTAINER_CLOSED'[\s\S]*ok: 'ada third 3'/,
    'streams.mjs': /^sum 3003\nfirst \[ 6, 13, 20 \] true\n$/,
    'http-server.mjs':
      /^200 \{"result":42\}\n422 .*THREW"\}\n408 .*TIMEOUT"\}\n422 .*ENDED"\}\na crowd: 0 1 4 9 16 25 36 49 64 81 100 121\n$/,
    'typescript-plug-in.mts': /^hello, Ada!\n\{ en: 1, de: 1 \}\nundefined, Cleo!\n$/,
    'own-runtime.mjs': /^\[ 'name', 'today' \]\nDear Ada, it is Monday\.\nto Ben\ntrue\n$/,
    'own-backend.mjs': /^backend: wraps node with 64 MiB, 0 paths to read\n42 true true\n$/,
    'demo.mjs': /addOne\(5\) +6\n[\s\S]*addOne\(5\) +6\n[\s\S]*openat \/etc\/passwd → kill[\s\S]*SIGSYS/,
  }

  test('all are expected here', () => {
    expect(globSync('*.{mjs,mts}', { cwd: examples }).sort()).toEqual(Object.keys(expected).sort())
  })

  test.each(Object.entries(expected))('%s prints what it should', async (name, output) => {
    const { stdout } = await execute(process.execPath, ['--no-node-snapshot', join(examples, name)], { timeout: 110_000 })
    expect(stdout).toMatch(output)
  })
})

test("the README's example is the specification's", () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  for (const line of [
    "import { Sandbox } from 'confine-sandbox'",
    "runtime: 'jseval-confine-runtime'",
    "source: 'module.exports.addOne = (num) => num + 1'",
    'await sbx.configContainer({cid, opts: {/*...*/}})',
    "const res = await sbx.handleAPICall(cid, 'addOne', [5]) // => 6",
  ]) {
    expect(readme).toContain(line)
  }
})
