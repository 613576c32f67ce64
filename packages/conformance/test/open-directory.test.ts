import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openDirectory } from '../src/open-directory.ts'

const mode = (path: string) => statSync(path).mode & 0o777

test('everybody may write there who knows where it is, and nobody can list where', () => {
  const place = openDirectory()
  try {
    expect([mode(place.directory), mode(place.file), mode(dirname(place.directory))]).toEqual([0o777, 0o666, 0o711])
    expect(dirname(place.unixSocket)).toBe(dirname(place.directory))
    expect(place.isUntouched()).toBe(true)
  } finally {
    place.remove()
  }
  expect(existsSync(dirname(place.directory))).toBe(false)
})

test('a file of other content, a link, a pipe and nothing are not what was there', () => {
  const place = openDirectory()
  const other = join(place.directory, 'other')
  try {
    renameSync(place.file, other)
    expect(place.isUntouched()).toBe(false)
    symlinkSync(other, place.file)
    expect(place.isUntouched()).toBe(false)
    unlinkSync(place.file)
    expect(spawnSync('mkfifo', [place.file]).status).toBe(0)
    expect(place.isUntouched()).toBe(false)
    unlinkSync(place.file)
    writeFileSync(place.file, 'canary of the host, and more')
    expect(place.isUntouched()).toBe(false)
  } finally {
    place.remove()
  }
  expect(existsSync(place.directory)).toBe(false)
})

test('what links lead to and what lies in directories of others stays', () => {
  const place = openDirectory()
  const elsewhere = mkdtempSync(join(tmpdir(), 'confine-elsewhere-'))
  try {
    writeFileSync(join(elsewhere, 'kept'), '')
    symlinkSync(elsewhere, join(place.directory, 'link'))
    mkdirSync(join(place.directory, 'empty'))
    mkdirSync(join(place.directory, 'full'))
    writeFileSync(join(place.directory, 'full', 'kept'), '')
    place.remove()
    expect(readdirSync(elsewhere)).toEqual(['kept'])
    expect(readdirSync(place.directory)).toEqual(['full'])
    expect(mode(place.directory)).toBe(0o700)
  } finally {
    for (const path of [elsewhere, dirname(place.directory)]) rmSync(path, { recursive: true, force: true })
  }
})
