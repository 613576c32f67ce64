import { Worker } from 'node:worker_threads'

// What a machine does that is busy with others counts against none of our deadlines. How much that is, a thread says that
// has nothing to do but to be woken up.

/** How late this machine serves us. */
export interface MachineWatch {
  /** The sum of all waits for a processor since the last time it was asked, milliseconds. */
  lateMs(): number
  stop(): Promise<unknown>
}

export function watchMachine(): MachineWatch {
  const shared = new SharedArrayBuffer(8)
  const late = new Float64Array(shared)
  const worker = new Worker(program, { eval: true, workerData: shared })
  let asked = 0
  return {
    lateMs() {
      const since = (late[0] as number) - asked
      asked += since
      return since
    },
    stop: () => worker.terminate(),
  }
}

const program = `
  const late = new Float64Array(require('node:worker_threads').workerData)
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    late[0] += Math.max(0, now - last - 5)
    last = now
  }, 5)`
