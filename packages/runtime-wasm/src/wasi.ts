/// <reference path="./webassembly.d.ts" />
import { randomFillSync } from 'node:crypto'
import type { Program } from './options.ts'

/** What a WASI program needs of its surroundings. */
export interface WasiHost {
  /** The program's memory, once it is there. */
  memory(): WebAssembly.Memory | undefined
  /** Never returns. */
  exit(code: number): never
  write(stream: 1 | 2, bytes: Uint8Array): void
}

/**
 * The functions of WASI preview 1 for a program that has its arguments, a clock, random bytes and the three standard
 * streams, and no files: nothing is opened before, so nothing can be opened. What is not there answers `badf` or `nosys`.
 */
export function wasi({ args, env, stdin, outputLimitBytes }: Program, host: WasiHost): Record<string, (...args: any[]) => number> {
  let [readBytes, writtenBytes] = [0, 0]
  const view = () => new DataView(bufferOf(host))
  const bytes = (offset: number, length: number) => new Uint8Array(bufferOf(host), offset >>> 0, length >>> 0)
  const argTexts = args.map(cText)
  const envTexts = Object.entries(env).map(([key, value]) => cText(`${key}=${value}`))

  const sizes = (texts: readonly Uint8Array[]) => (countAt: number, sizeAt: number) => {
    view().setUint32(countAt >>> 0, texts.length, true)
    view().setUint32(sizeAt >>> 0, total(texts), true)
    return errno.success
  }
  const texts = (all: readonly Uint8Array[]) => (pointersAt: number, textsAt: number) => {
    let at = textsAt >>> 0
    for (const [index, text] of all.entries()) {
      view().setUint32((pointersAt >>> 0) + index * 4, at, true)
      bytes(at, text.length).set(text)
      at += text.length
    }
    return errno.success
  }
  /** The pieces of memory that a vector names. A program may name many, but only as much as it has memory for the list. */
  const pieces = function* (vectorAt: number, count: number) {
    for (let index = 0; index < count >>> 0; index++) {
      const at = (vectorAt >>> 0) + index * 8
      yield bytes(view().getUint32(at, true), view().getUint32(at + 4, true))
    }
  }

  const functions: Record<string, (...args: any[]) => number> = {
    args_sizes_get: sizes(argTexts),
    args_get: texts(argTexts),
    environ_sizes_get: sizes(envTexts),
    environ_get: texts(envTexts),
    clock_res_get(clock: number, at: number) {
      if (clock >>> 0 > 3) return errno.inval
      view().setBigUint64(at >>> 0, clockStepNs, true)
      return errno.success
    },
    clock_time_get(clock: number, _precision: bigint, at: number) {
      if (clock >>> 0 > 3) return errno.inval
      const ms = clock === 0 ? Date.now() : performance.now()
      // Coarse, so that it measures nothing but time for people.
      view().setBigUint64(at >>> 0, ((BigInt(Math.trunc(ms)) * 1_000_000n) / clockStepNs) * clockStepNs, true)
      return errno.success
    },
    random_get(at: number, length: number) {
      const target = bytes(at, length)
      for (let start = 0; start < target.length; start += maxRandomBytes) randomFillSync(target.subarray(start, start + maxRandomBytes))
      return errno.success
    },
    fd_write(fd: number, vectorAt: number, count: number, writtenAt: number) {
      if (fd !== 1 && fd !== 2) return errno.badf
      let written = 0
      for (const piece of pieces(vectorAt, count)) {
        if (writtenBytes + piece.length > outputLimitBytes) return errno.nospc
        writtenBytes += piece.length
        written += piece.length
        if (piece.length > 0) host.write(fd, piece.slice())
      }
      view().setUint32(writtenAt >>> 0, written, true)
      return errno.success
    },
    fd_read(fd: number, vectorAt: number, count: number, readAt: number) {
      if (fd !== 0) return errno.badf
      let read = 0
      for (const piece of pieces(vectorAt, count)) {
        const chunk = stdin.subarray(readBytes, readBytes + piece.length)
        piece.set(chunk)
        readBytes += chunk.length
        read += chunk.length
        if (readBytes >= stdin.length) break
      }
      view().setUint32(readAt >>> 0, read, true)
      return errno.success
    },
    fd_fdstat_get(fd: number, at: number) {
      if (!isStandard(fd)) return errno.badf
      bytes(at, 24).fill(0)
      view().setUint8(at >>> 0, characterDevice)
      view().setBigUint64((at >>> 0) + 8, fd === 0 ? rightToRead : rightToWrite, true)
      return errno.success
    },
    fd_fdstat_set_flags: (fd: number) => (isStandard(fd) ? errno.success : errno.badf),
    fd_close: (fd: number) => (isStandard(fd) ? errno.success : errno.badf),
    fd_seek: (fd: number) => (isStandard(fd) ? errno.spipe : errno.badf),
    fd_tell: (fd: number) => (isStandard(fd) ? errno.spipe : errno.badf),
    sched_yield: () => errno.success,
    proc_exit: (code: number) => host.exit(code & 0xff),
  }
  for (const name of descriptorFunctions) functions[name] = () => errno.badf
  for (const name of missingFunctions) functions[name] = () => errno.nosys
  for (const [name, call] of Object.entries(functions)) functions[name] = inMemory(call)
  return functions
}

/** Of `errno` in the witx of WASI preview 1. */
const errno = { success: 0, badf: 8, fault: 21, inval: 28, nospc: 51, nosys: 52, spipe: 70 } as const

/** They take a descriptor of a file or a directory first, and there is none. */
const descriptorFunctions: readonly string[] = [
  ...['fd_advise', 'fd_allocate', 'fd_datasync', 'fd_fdstat_set_rights', 'fd_filestat_get', 'fd_filestat_set_size'],
  ...['fd_filestat_set_times', 'fd_pread', 'fd_prestat_dir_name', 'fd_prestat_get', 'fd_pwrite', 'fd_readdir', 'fd_renumber'],
  ...['fd_sync', 'path_create_directory', 'path_filestat_get', 'path_filestat_set_times', 'path_link', 'path_open'],
  ...['path_readlink', 'path_remove_directory', 'path_rename', 'path_symlink', 'path_unlink_file'],
  ...['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'],
]
const missingFunctions: readonly string[] = ['poll_oneoff', 'proc_raise']

const characterDevice = 2
const rightToRead = 1n << 1n
const rightToWrite = 1n << 6n
const clockStepNs = 1_000_000n
const maxRandomBytes = 65_536

/** A pointer outside of the program's memory is the program's fault, and an answer. */
function inMemory(call: (...args: any[]) => number): (...args: any[]) => number {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      if (error instanceof RangeError) return errno.fault
      throw error
    }
  }
}

function bufferOf(host: WasiHost): ArrayBuffer {
  const memory = host.memory()
  if (memory === undefined) throw new RangeError('The program exports no memory')
  return memory.buffer
}

function isStandard(fd: number): boolean {
  return fd === 0 || fd === 1 || fd === 2
}

function cText(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`)
}

function total(texts: readonly Uint8Array[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}
