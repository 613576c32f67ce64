// Makes isolates of every kind of fate, one after another and some at once, in this process: node isolates.mjs COUNT.
// Prints how many gave the result that they should.
import { createRequire } from 'node:module'

const [path, count] = process.argv.slice(2)
const JsIsolateConfineRuntime = createRequire(import.meta.url)(path)

const fates = [
  { source: 'exports.f = (n) => n + 1', call: [41], result: 42 },
  { source: 'export const f = (n) => n * 2', module: 'esm', call: [21], result: 42 },
  { source: 'exports.f = (n) => new Promise((resolve) => setTimeout(resolve, 0, n))', env: 'nodejs', call: [42], result: 42 },
  { source: 'exports.f = () => host(6, 7)', globals: { host: async (a, b) => a * b }, call: [], result: 42 },
  { source: 'exports.f = () => { for (;;); }', call: [], isDisposed: true },
  {
    source: 'exports.f = () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }',
    memoryLimitMiB: 8,
    call: [],
    isLost: true,
  },
  { source: 'throw new Error("on purpose")', throws: true },
  { source: 'this is no JavaScript', throws: true },
  { source: 'exports.f = () => JSON.stringify(Array.from({ length: 1e3 }, (_, i) => ({ i }))).length', call: [], result: 9891 },
]
// What never ends and what runs out of memory takes a thousand times as long as the rest.
const rare = new Set([4, 5])

let right = 0
const lanes = Array.from({ length: 8 }, async (_, lane) => {
  for (let i = lane; i < Number(count); i += 8) {
    const index = i % fates.length
    if (await meet(fates[rare.has(index) && i % 50 >= 9 ? 0 : index])) right++
  }
})
await Promise.all(lanes)
console.log(right)

async function meet({ source, call, result, throws = false, isDisposed = false, isLost = false, ...options }) {
  const runtime = new JsIsolateConfineRuntime({ source, memoryLimitMiB: 32, ...options })
  let answer
  try {
    await runtime.init()
    await runtime.run()
    if (isDisposed) setTimeout(() => runtime.close(), 2)
    answer = await runtime.handleAPICall('f', call)
  } catch {
    return throws || isDisposed || isLost
  } finally {
    await runtime.close()
  }
  return answer === result
}
