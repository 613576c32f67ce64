/// <reference path="./webassembly.d.ts" />
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import imported from '@jitl/quickjs-wasmfile-release-sync'
import { ConfineError } from '@confine-sandbox/contract'
import { newQuickJSWASMModuleFromVariant, newVariant, type QuickJSContext, type QuickJSSyncVariant } from 'quickjs-emscripten-core'

/**
 * A QuickJS engine with memory of its own, and nothing but the language in it.
 * @throws ERR_CONFINE_LIMIT when the process has no memory for one more.
 */
export async function createEngine(
  memoryLimitMiB: number,
): Promise<{ readonly context: QuickJSContext; readonly memory: WebAssembly.Memory }> {
  const pagesOfLimit = Math.ceil(memoryLimitMiB * pagesPerMiB)
  const wasmMemory = createMemory(initialPages + pagesOfLimit)
  const engine = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: compiled(), wasmMemory }))
  const runtime = engine.newRuntime()
  runtime.setMemoryLimit(memoryLimitMiB * 1024 * 1024)
  runtime.setMaxStackSize(maxStackBytes)
  return { context: runtime.newContext(), memory: wasmMemory }
}

/**
 * Reads and compiles QuickJS, once for the process: the file cannot be read when the guest is locked.
 * @throws ERR_CONFINE_RUNTIME_INVALID where there is no WebAssembly.
 */
export function compiled(): WebAssembly.Module {
  if (typeof WebAssembly === 'undefined') {
    throw new ConfineError(
      'ERR_CONFINE_RUNTIME_INVALID',
      'QuickJS runs in WebAssembly, which a hardened guest does not have. Use another runtime there.',
    )
  }
  cache.module ??= new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm')))
  return cache.module
}

function createMemory(maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: initialPages, maximum })
  } catch (error) {
    throw new ConfineError(
      'ERR_CONFINE_LIMIT',
      'The guest process has no memory for one more program, which takes 16 MiB from the start: raise limits.memoryMiB, or use another Sandbox',
      { cause: error },
    )
  }
}

// As an ES module it is the default export, and required it has one.
const variant = ((imported as { default?: unknown }).default ?? imported) as QuickJSSyncVariant

// Of the process: code alone, nothing of any program.
const cache: { module?: WebAssembly.Module } = {}

const pagesPerMiB = 16
/** What the engine was linked with: its own data and stack. */
const initialPages = 256
/** Far less than the engine's stack of WebAssembly, and than what node's holds. */
const maxStackBytes = 256 * 1024
