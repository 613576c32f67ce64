// A runtime whose functions are of every temper, as those of the host are.
const { EventEmitter } = require('node:events')
const { answer } = require('./tempers.mjs')

module.exports = class extends EventEmitter {
  async init() {}
  async run() {}
  async close() {}
  configure() {}

  describeAPI() {
    return { children: [] }
  }

  async handleAPICall(method, params) {
    return await answer(method, params)
  }
}
