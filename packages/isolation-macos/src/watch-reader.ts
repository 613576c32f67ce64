import type { IsolationEvent, ReportReader } from '@confine-sandbox/contract'
import { lineReader } from './line-reader.ts'

/** Reads the reports of scripts/watch.sh. What they say of memory is what was resident at a look, and the most of them counts. */
export function watchReader(): ReportReader {
  const lines = lineReader(100)
  let peakKiB = 0
  return (chunk) =>
    lines(chunk).flatMap((line): readonly IsolationEvent[] => {
      const [, limit] = /^limit (memory|cpu)$/.exec(line) ?? []
      if (limit === 'memory' || limit === 'cpu') return [{ type: 'limit', limit }]
      const [, used, time] = /^used (\d{1,15}) (\S+)$/.exec(line) ?? []
      const cpuMs = time === undefined ? undefined : millisecondsOf(time)
      if (used === undefined || cpuMs === undefined) return []
      peakKiB = Math.max(peakKiB, Number(used))
      return [{ type: 'usage', cpuMs, peakMemoryMiB: Math.round(peakKiB / 1024) }]
    })
}

/** Time as ps writes it: `0:01.53` on macOS, `00:00:01` or `1-02:03:04` on Linux. */
function millisecondsOf(time: string): number | undefined {
  const [, days = '0', hours = '0', minutes, seconds, fraction = '0'] =
    /^(?:(\d{1,5})-)?(?:(\d{1,2}):)?(\d{1,8}):(\d\d)(?:\.(\d{1,3}))?$/.exec(time) ?? []
  if (minutes === undefined || seconds === undefined) return undefined
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  return whole * 1000 + Math.round(Number(`0.${fraction}`) * 1000)
}
