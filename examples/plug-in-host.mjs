// Plug-ins of several customers: a sandbox each, with the functions of that customer, made anew after it ended.
import { ConfineError, Sandbox } from 'confine-sandbox'

class PlugInHost {
  #plugIns = new Map()

  /** Never rejects for what a plug-in does. */
  async handle(customer, source, event) {
    const { sbx, container } = await this.#open(customer, source)
    try {
      return { ok: await container.call('onEvent', [event]) }
    } catch (error) {
      if (!ConfineError.is(error)) throw error
      if (error.code === 'ERR_CONFINE_GUEST_THREW') return { threw: error.message }
      this.#plugIns.delete(customer)
      await sbx.teardown()
      return { ended: error.code }
    }
  }

  async close() {
    for (const { sbx } of await Promise.all(this.#plugIns.values())) await sbx.teardown()
  }

  #open(customer, source) {
    if (!this.#plugIns.has(customer)) this.#plugIns.set(customer, this.#start(customer, source))
    return this.#plugIns.get(customer)
  }

  async #start(customer, source) {
    const sbx = new Sandbox({
      runtime: 'jsisolate-confine-runtime',
      limits: { memoryMiB: 128, lifeMs: 60_000 },
      // Who asks is known here, and is nothing that the plug-in could say.
      globals: { nameOfCustomer: () => customer },
    })
    return { sbx, container: await sbx.execContainer({ source }) }
  }
}

const host = new PlugInHost()
const good = 'let count = 0; exports.onEvent = async ({ text }) => `${await nameOfCustomer()} ${text} ${++count}`'
const bad = 'exports.onEvent = ({ text }) => { if (text === "throw") throw new Error("mine"); process.exit(1) }'

console.log(await host.handle('ada', good, { text: 'first' }))
console.log(await host.handle('ada', good, { text: 'second' }))
console.log(await host.handle('ben', bad, { text: 'throw' }))
console.log(await host.handle('ben', bad, { text: 'exit' }))
console.log(await host.handle('ada', good, { text: 'third' }))
await host.close()
