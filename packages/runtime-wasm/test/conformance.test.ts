import { testRuntime } from '@confine-sandbox/conformance'
import { describe, it } from 'vitest'
import WasmConfineRuntime from '../src/index.ts'
import { programs } from './programs.ts'

testRuntime(WasmConfineRuntime, { programs, limits: { memory: { memoryLimitMiB: 4 } } }, { describe, it })
