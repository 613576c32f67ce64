const browserify = require('crypto-browserify')

const { Buffer } = require('buffer')

module.exports = {
  ...browserify,
  webcrypto: globalThis.crypto,
  getRandomValues: (view) => globalThis.crypto.getRandomValues(view),
  randomUUID: () => globalThis.crypto.randomUUID(),
  randomInt(from, to, done) {
    if (to === undefined || typeof to === 'function') return module.exports.randomInt(0, from, to)
    const range = to - from
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || range <= 0 || range > 2 ** 48) {
      throw Object.assign(new RangeError('The range of randomInt must be above 0 and at most 2 ** 48'), { code: 'ERR_OUT_OF_RANGE' })
    }
    // The numbers above the last whole multiple of the range would make the first ones likelier.
    const limit = 2 ** 48 - (2 ** 48 % range)
    let random = limit
    while (random >= limit) random = browserify.randomBytes(6).readUIntBE(0, 6)
    const number = from + (random % range)
    if (done === undefined) return number
    process.nextTick(done, null, number)
    return undefined
  },
  timingSafeEqual(left, right) {
    const [a, b] = [bytesOf(left), bytesOf(right)]
    if (a.length !== b.length) {
      throw Object.assign(new RangeError('Input buffers must have the same byte length'), { code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH' })
    }
    let difference = 0
    for (let index = 0; index < a.length; index++) difference |= a[index] ^ b[index]
    return difference === 0
  },
  hash: (algorithm, data, encoding = 'hex') =>
    browserify
      .createHash(algorithm)
      .update(data)
      .digest(encoding === 'buffer' ? undefined : encoding),
}

function bytesOf(view) {
  return ArrayBuffer.isView(view) ? Buffer.from(view.buffer, view.byteOffset, view.byteLength) : Buffer.from(view)
}
