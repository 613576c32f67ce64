import { fileURLToPath } from 'node:url'
import { observe } from './observe.ts'
import type { ProbeReport } from './report.ts'
import { reportOf } from './report-of.ts'

/** Options of `probe()`. */
export interface ProbeOptions {
  /** The program that confines. @default the one that comes with this package */
  readonly launcher?: string
  /** The program that tries the primitives. @default the one that comes with this package */
  readonly program?: string
}

/**
 * Tells what this machine can do to hold a guest, what it cannot, why, and what to do about it. Each primitive is tried
 * by doing it, in short-lived child processes: this process and the machine stay as they are. Takes some 50 ms. On
 * other platforms the report says so. Never rejects.
 */
export async function probe(options: ProbeOptions = {}): Promise<ProbeReport> {
  const start = performance.now()
  const { launcher = prebuilt('confine-launch'), program = prebuilt('confine-probe') } = options
  const observations = await observe({ launcher, probe: program })
  return reportOf(observations, Math.round(performance.now() - start))
}

/** Sources lie one directory deeper than dist/. native/Makefile puts them there. */
function prebuilt(name: string): string {
  const up = import.meta.url.endsWith('.ts') ? '../../' : '../'
  return fileURLToPath(new URL(`${up}prebuilds/linux-${process.arch}/${name}`, import.meta.url))
}
