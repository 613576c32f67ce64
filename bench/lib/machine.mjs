import os from 'node:os'

/** What was measured on, in a line. */
export function machine() {
  const [{ model } = { model: 'unknown' }] = os.cpus()
  const load = os.loadavg()[0].toFixed(1)
  return `${os.availableParallelism()} × ${model.trim()}, Linux ${os.release()}, Node ${process.version}, load ${load}`
}
