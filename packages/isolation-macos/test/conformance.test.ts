import { testIsolation } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import { macos } from '../src/macos.ts'

const mac = {
  platform: 'darwin',
  isExecutable: () => true,
  isEmptyDirectory: () => true,
  realpath: (path: string) => path,
  run: () => ({ exitCode: 0, signal: null, stderr: '' }),
} as const

describe('on a Mac with everything in its place', () => testIsolation(macos(mac), {}, { describe, it }))
describe('where there is no sandbox-exec', () => testIsolation(macos({ ...mac, isExecutable: () => false }), {}, { describe, it }))
