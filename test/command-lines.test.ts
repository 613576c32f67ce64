import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './packages.ts'

// Lines of `confine` in the documents: `confine run a.js   # exits with 3, prints: text`. The files that they name are the
// blocks of the same page with a name behind the language: ```js a.js

const command = join(root, 'packages/confine-sandbox/dist/command/main.js')
const pages = globSync(['README.md', 'docs/*.md', 'packages/*/README.md'], { cwd: root })
const withLines = pages.map((page) => [page, linesOf(textOf(page))] as const).filter(([, lines]) => lines.length > 0)

test('there are some', () => {
  expect(withLines.length).toBeGreaterThan(0)
})

describe.each(withLines)('%s', (page, lines) => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'confine-lines-'))
    for (const [, name, text] of textOf(page).matchAll(/^```\w+ ([\w.-]+)\n(.*?)^```$/gms)) {
      writeFileSync(join(directory, basename(name as string)), text as string)
    }
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.concurrent.each(lines)('$line', async ({ line, exits, prints }) => {
    const { code, out } = await run(line.split(' ').slice(1), directory)
    expect(code).toBe(exits)
    expect(out).toContain(prints)
  })
})

interface CommandLine {
  readonly line: string
  readonly exits: number
  readonly prints: string
}

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

function linesOf(text: string): readonly CommandLine[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) => (block as string).split('\n'))
  return blocks.flatMap((written) => {
    const [, line, comment = ''] = /^(confine [^#]*[^#\s])\s*(?:#(.*))?$/.exec(written) ?? []
    if (line === undefined) return []
    return [{ line, exits: Number(/exits with (\d+)/.exec(comment)?.[1] ?? 0), prints: /prints: (.*)$/.exec(comment)?.[1] ?? '' }]
  })
}

function run(args: readonly string[], cwd: string): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd, env: { ...process.env, NO_COLOR: '1' } }, (error, out) => {
      resolve({ code: error === null ? 0 : Number(error.code), out })
    })
  })
}
