import type { TemplateFacts } from '../create-runtime.ts'

/** The class of a new runtime, with a language that is small enough to be read at once. */
export function runtimeModule({ className }: TemplateFacts): string {
  return `import { AbstractConfineRuntime, APIDescription, APIMethod, ConfineError, MethodNotFound } from '@confine-sandbox/contract'

/**
 * Runs programs in a language of stacks, a function a line:
 *
 *   addOne: 1 +                   # what it is called with is on the stack already
 *   next: count 1 + =count count  # variables start as 0 and belong to the program
 *   ask: @host.addTwo             # calls a function of the host with the top of the stack, and waits
 *   forever: again                # starts over
 *
 * Replace \`parse\` and \`execute\` with your language. What is around them is what every runtime does.
 */
export class ${className} extends AbstractConfineRuntime {
  #functions = new Map()
  #variables = new Map()
  #waiting = new Set()
  #running
  #isClosed = false

  /** Keep the options; say what is wrong with them in init(). The program is untrusted from its first character on. */
  constructor(options = {}) {
    super({ ...options })
  }

  async init() {
    this.#assertOpen()
    const { source } = this.opts
    if (source === undefined) throw new ConfineError('ERR_CONFINE_SOURCE_MISSING', 'There is no program: give its text as the option source.')
    if (typeof source !== 'string' && !ArrayBuffer.isView(source)) {
      throw new ConfineError('ERR_CONFINE_BAD_OPTION', 'The option source must be text or bytes.')
    }
  }

  /** Loads the program, once, however often it is called. */
  async run() {
    this.#assertOpen()
    await this.init()
    this.#running ??= this.#load()
    return this.#running
  }

  async handleAPICall(name, params = []) {
    this.#assertOpen()
    // A map has no names that every object inherits.
    const words = this.#functions.get(name)
    if (words === undefined) throw new MethodNotFound(\`Method not found: \${name}\`)
    // A call that waits when the container closes is rejected.
    const { promise: closed, reject } = Promise.withResolvers()
    this.#waiting.add(reject)
    try {
      return await Promise.race([closed, this.#execute(words, params)])
    } finally {
      this.#waiting.delete(reject)
    }
  }

  describeAPI() {
    return new APIDescription([...this.#functions.keys()].map((name) => new APIMethod(name)))
  }

  configure(options) {
    if (typeof options === 'object' && options !== null) this.opts = { ...this.opts, ...options }
  }

  async close() {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#functions.clear()
    for (const reject of this.#waiting) reject(closedError())
    this.emit('closed', 0)
  }

  async #load() {
    const { source } = this.opts
    this.#functions = parse(typeof source === 'string' ? source : new TextDecoder().decode(source))
  }

  async #execute(words, params) {
    const stack = [...params]
    for (let at = 0; at < words.length; at++) {
      const word = words[at]
      if (word === 'again') at = -1
      else if (operators.has(word)) {
        const [left, right] = stack.splice(-2)
        if (typeof left !== 'number' || typeof right !== 'number') throw failure(\`\${word} needs two numbers\`)
        stack.push(operators.get(word)(left, right))
      } else if (word.startsWith('=')) this.#variables.set(word.slice(1), stack.pop())
      else if (word.startsWith('@')) stack.push(await this.#callHost(word.slice(1), stack.splice(-1)))
      else if (/^-?[0-9.]+$/.test(word)) stack.push(Number(word))
      else stack.push(this.#variables.get(word) ?? 0)
    }
    return stack.pop()
  }

  async #callHost(name, params) {
    let found = this.opts.globals
    for (const key of name.split('.')) found = Object.hasOwn(Object(found), key) ? found[key] : undefined
    if (typeof found !== 'function') throw failure(\`The host has no function \${name}\`)
    try {
      return await found(...params)
    } catch (error) {
      throw failure(\`\${name} failed: \${error.message}\`)
    }
  }

  #assertOpen() {
    if (this.#isClosed) throw closedError()
  }
}

// For \`import\`, and for \`require()\`, which gives the class itself.
export { ${className} as default, ${className} as 'module.exports' }

const operators = new Map([
  ['+', (left, right) => left + right],
  ['-', (left, right) => left - right],
  ['*', (left, right) => left * right],
  [
    '/',
    (left, right) => {
      if (right === 0) throw failure('Division by zero')
      return left / right
    },
  ],
])

/** @throws SyntaxError for a line that is no function. */
function parse(text) {
  const functions = new Map()
  for (const [index, line] of text.split('\\n').entries()) {
    const code = line.replace(/#.*/, '').trim()
    if (code === '') continue
    const [, name, words] = /^([A-Za-z]\\w*):(.*)$/.exec(code) ?? []
    if (name === undefined) throw failure(\`Line \${index + 1} is no function: \${code.slice(0, 100)}\`, SyntaxError)
    functions.set(name, words.split(/\\s+/).filter(Boolean))
  }
  return functions
}

/** An error of the program. Its stack would name files of this package, which say nothing to the program's author. */
function failure(message, Kind = Error) {
  const error = new Kind(message)
  error.stack = \`\${error.name}: \${message}\`
  return error
}

function closedError() {
  return new ConfineError('ERR_CONFINE_CONTAINER_CLOSED', 'The container has ended: it was closed.')
}
`
}
