// A runtime of one's own: its programs are texts with {{names}}. The class is loaded in the guest and nowhere else.
import { APIDescription, AbstractConfineRuntime, APIMethod, MethodNotFound } from '@confine-sandbox/contract'

export default class TemplateRuntime extends AbstractConfineRuntime {
  #text = ''
  #names = []

  /** From here on the source is known, and the process is locked. */
  async init() {
    this.#text = String(this.opts.source)
    this.#names = [...this.#text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)
  }

  async run() {}

  async handleAPICall(method, [values = {}]) {
    if (method === 'names') return this.#names
    if (method === 'render') return this.#render(values)
    throw new MethodNotFound(`Method not found: ${method}`)
  }

  describeAPI() {
    return new APIDescription([new APIMethod('names'), new APIMethod('render')])
  }

  configure() {}

  async close() {
    this.emit('closed', 0)
  }

  /** A name without a value is asked of the host, when it gave a function for that. */
  async #render(values) {
    let text = this.#text
    for (const name of new Set(this.#names)) {
      const value = Object.hasOwn(values, name) ? values[name] : await this.opts.globals?.lookUp?.(name)
      text = text.replaceAll(`{{${name}}}`, () => String(value ?? ''))
    }
    return text
  }
}
