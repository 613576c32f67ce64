import { type MacosOptions, settingsOf } from '../settings.ts'
import { observe } from './observe.ts'
import type { MacosProbeReport } from './report.ts'
import { macosReportOf } from './report-of.ts'

/**
 * Tells what this Mac can do to hold a guest, what it cannot, why, and what to do about it. Node is started under both profiles, in
 * short-lived child processes. On other platforms the report says so. Never rejects, but for options that are wrong.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export async function probe(options: MacosOptions = {}): Promise<MacosProbeReport> {
  const start = performance.now()
  const observations = await observe(settingsOf(options), options.log ?? '/usr/bin/log')
  return macosReportOf(observations, Math.round(performance.now() - start))
}
