const util = require('util/')

/** Escape sequences of terminals. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with.
const controls = /[\u001B\u009B][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g

util.inspect.custom = Symbol.for('nodejs.util.inspect.custom')
util.inspect.defaultOptions ??= {}

module.exports = {
  ...util,
  TextDecoder,
  TextEncoder,
  isDeepStrictEqual(left, right) {
    try {
      // Loaded late: it loads this module itself.
      require('assert').deepStrictEqual(left, right)
      return true
    } catch {
      return false
    }
  },
  stripVTControlCharacters: (text) => String(text).replace(controls, ''),
  toUSVString: (text) => String(text).toWellFormed(),
  styleText: (_, text) => String(text),
  aborted: (signal) =>
    new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }))),
}
