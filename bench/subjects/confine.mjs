import { Sandbox } from 'confine-sandbox'

/** The program that is run in all guests. */
export const program = `
exports.add = (a, b) => a + b
exports.size = (bytes) => bytes.length
exports.callBack = async (times) => {
  for (let i = 0; i < times; i++) await add(i, 1)
  return times
}`

/** A sandbox with that program in it. */
export async function openConfine({ runtime = 'jseval-confine-runtime', ...options } = {}) {
  const sandbox = new Sandbox({ runtime, globals: { add: (a, b) => a + b }, ...options })
  const container = await sandbox.execContainer({ source: program })
  return {
    sandbox,
    pid: sandbox.guestProcess.pid,
    call: (name, params) => container.call(name, params),
    callBack: (times) => container.call('callBack', [times]),
    close: () => sandbox.teardown(),
  }
}
